import os
import sys

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
# A computing thread (an import, a score) keeps Python's lock this long each time another asks for it, and a request
# asks after every statement: with Python's default 5 ms it would wait 50 ms beside an import.
sys.setswitchinterval(0.0005)
application = get_wsgi_application()
