from django.urls import URLPattern, URLResolver, path

from widgets import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("widget.js", views.widget_js, name="widget_js"),
]
