"""The addresses of the pages. URLs are promises: short, stable, without personal data."""

from django.urls import URLPattern, URLResolver

from creditbank.portals import cspreport, home, institution, learner, log, notices, public

urlpatterns: list[URLPattern | URLResolver] = [
    *home.urlpatterns,
    *public.urlpatterns,
    *notices.urlpatterns,
    *log.urlpatterns,
    *learner.urlpatterns,
    *institution.urlpatterns,
    *cspreport.urlpatterns,
]
