"""The steps of the code flow that call the issuer."""

from functools import cached_property

from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter

from crm.users.oidc.issuers import Issuer
from crm.users.oidc.protocol import add_userinfo, discover, exchange, identity, nonce_of, read_id_token
from crm.users.oidc.transport import session


class OpenIDConnectClient(OpenIDConnectOAuth2Adapter):
    """allauth's adapter of the provider: its requests are limited, and its ID tokens are verified."""

    @cached_property
    def issuer(self) -> Issuer:
        return self.get_provider().app.issuer

    @cached_property
    def session(self):
        return session(trusted=self.issuer.trusted)

    @cached_property
    def openid_config(self):
        return discover(self.session, self.issuer)

    def get_access_token_data(self, request, app, client, pkce_code_verifier=None):
        """Exchange the code, which belongs to the session's PKCE secret."""
        self.nonce = nonce_of(pkce_code_verifier)
        grant = {"grant_type": "authorization_code", "redirect_uri": client.callback_url}
        grant |= {"code": request.GET["code"], "code_verifier": pkce_code_verifier}
        return exchange(self.session, self.access_token_url, self.issuer, grant, basic=self.basic_auth)

    def complete_login(self, request, app, token, *, response, **kwargs):
        """Return allauth's login with the `identity` that the ID token proves."""
        claims = read_id_token(self.session, self.openid_config, self.issuer, response["id_token"], self.nonce)
        claims = add_userinfo(self.session, self.openid_config, claims, response["access_token"])
        login = self.get_provider().sociallogin_from_response(request, {"id_token": claims})
        login.identity = identity(claims)
        return login
