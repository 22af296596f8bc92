"""allauth's OpenID Connect provider with our transport and checks; allauth looks for it in a module of this name."""

import hashlib

from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider

from crm.users.oidc.client import OpenIDConnectClient
from crm.users.oidc.protocol import nonce_of


class OpenIDConnect(OpenIDConnectProvider):
    """Code flow with PKCE and a nonce. Only the address is kept of what the issuer says about a person."""

    oauth2_adapter_class = OpenIDConnectClient
    pkce_enabled_default = True

    def get_pkce_params(self):
        """Return the parameters of the authorization request that only this browser's session can answer."""
        params = super().get_pkce_params()
        return params | {"nonce": nonce_of(params["code_verifier"])}

    def extract_uid(self, data):
        """Return the key of the account: a subject means nothing at another issuer, should the address change."""
        return hashlib.sha256(f"{self.app.issuer.address} {data['id_token']['sub']}".encode()).hexdigest()

    def extract_extra_data(self, data):
        return {"email": data["id_token"].get("email", "")}

    def serialize(self):
        """Return the issuer's id, which is unique, while several workspaces may share a client ID."""
        return {"id": self.sub_id}


provider_classes = [OpenIDConnect]
