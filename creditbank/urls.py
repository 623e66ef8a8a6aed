"""Every address of the bank. The one module that knows both the portals and the API."""

from django.urls import include, path

from creditbank.portals.language import switch_language

urlpatterns = [
    path("account/", include("allauth.urls")),
    path("i18n/language", switch_language, name="set_language"),
    path("api/", include("api.urls")),
    path("", include("creditbank.portals.urls")),
]
