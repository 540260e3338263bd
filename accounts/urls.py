from django.urls import URLPattern, URLResolver, path

from accounts import pages_keys, pages_secret, pages_settings, pages_site

_api = {"pages": pages_keys.API}
_websocket = {"pages": pages_keys.WEBSOCKET}

urlpatterns: list[URLPattern | URLResolver] = [
    path("dashboard/keys/", pages_keys.keys, _api, name="api_keys"),
    path("dashboard/keys/example/", pages_keys.example_key, name="example_key"),
    path("dashboard/keys/<int:key_id>/", pages_keys.change_key, _api, name="api_key"),
    path("dashboard/keys/<int:key_id>/revoke/", pages_keys.revoke_key, _api, name="revoke_api_key"),
    path("dashboard/websocket-keys/", pages_keys.keys, _websocket, name="websocket_keys"),
    path("dashboard/websocket-keys/<int:key_id>/", pages_keys.change_key, _websocket, name="websocket_key"),
    path(
        "dashboard/websocket-keys/<int:key_id>/revoke/",
        pages_keys.revoke_key,
        _websocket,
        name="revoke_websocket_key",
    ),
    path("dashboard/secret/", pages_secret.secret, name="secret"),
    path("dashboard/secret/rotate/", pages_secret.rotate_secret, name="rotate_secret"),
    path("dashboard/settings/", pages_settings.settings, name="settings"),
    path("dashboard/organisation/", pages_settings.switch, name="switch_organisation"),
    path("robots.txt", pages_site.robots, name="robots"),
    path("favicon.ico", pages_site.favicon, name="favicon"),
    path(".well-known/security.txt", pages_site.security, name="security_txt"),
]
