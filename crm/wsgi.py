import os
import sys

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
# A thread that computes (an import, a score) keeps Python's lock for this long each time another asks for it, and a
# request asks anew after every statement: with Python's own 5 ms it would wait 50 ms beside an import.
sys.setswitchinterval(0.0005)
application = get_wsgi_application()
