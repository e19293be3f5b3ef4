"""The front page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What Closer is; researchers go on to their studies."""
    if request.user.is_staff:
        return redirect("study-list")
    return render(request, "annotation/home.html")
