"""Pages for testing the browser helpers, with a URL configuration of their own."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.urls import path

POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:"
HEAD = '<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>Page</title>'
PAGE = HEAD + "<main><h1>Page</h1>%s</main></html>"


def page(body):
    """Return a view of `body` in a page, under a strict policy."""
    return login_not_required(lambda request: HttpResponse(PAGE % body, headers={"Content-Security-Policy": POLICY}))


@login_not_required
def script(request):
    return HttpResponse("document.title = 'ran'", content_type="text/javascript")


@login_not_required
def who(request):
    return HttpResponse(PAGE % request.COOKIES.get("visitor", "nobody"))


urlpatterns = [
    path("good", page("<p>Hello</p><script src='/script.js'></script>")),
    path("script.js", script),
    path("inline", page("<script>document.title = 'ran'</script>")),
    path("unlabelled", page("<input>")),
    path("who", who),
]
