"""Small marks and numbers for templates."""

from datetime import datetime, timedelta
from decimal import Decimal

from django import template
from django.template import Context
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from annotation.charts import inline
from annotation.core.bitrates import level_in_words, rate_in_words
from annotation.core.durations import duration_in_words
from annotation.core.formats.printed import P_VALUE, printed
from annotation.models import Study
from codecs_zoo.look import is_of_codec, key_mark
from imaging.plots import charts
from psychometrics.estimates import Estimate
from psychometrics.sentences import signed
from psychometrics.shares import percent_in_words, percentage

register = template.Library()

NO_BREAK = "\N{NO-BREAK SPACE}"
SIMULATED = "Answers by a program, to try things out. They never count as people’s."


@register.simple_tag(takes_context=True)
def codec(context: Context, name: str) -> SafeString:
    """A method's mark and name: the same colour and shape as in every figure of the page's study."""
    study = context.get("study")
    own = study.own_methods if isinstance(study, Study) and not is_of_codec(name) else ()
    # The mark is drawn from a look, which holds no words of a name.
    mark = mark_safe(key_mark(name, own))
    return format_html('<span class="codec-name">{} {}</span>', mark, name)


@register.simple_tag
def share(figure: Estimate, reference: float | None = None) -> SafeString:
    """A share with its interval in words and as a dot with whiskers; a dash where there is none."""
    if figure.value is None:
        return format_html('<span class="muted">{}</span>', "–")
    drawn = inline(charts.whisker(figure.value, figure.low, figure.high, reference=reference))
    known = figure.low is not None and figure.high is not None
    interval = f"{percent(figure.low)} to {percent(figure.high)} · " if known else ""
    return format_html(
        '{} {}<br><span class="interval">{}n = {}</span>', percent(figure.value), drawn, interval, figure.n
    )


@register.simple_tag
def simulated_badge() -> SafeString:
    """What stands beside every number that programs made up."""
    return format_html('<span class="badge badge-simulated" title="{}">simulated</span>', SIMULATED)


@register.simple_tag
def state_badge(state: str) -> SafeString:
    """The state of a study or of some work."""
    return format_html('<span class="badge badge-{}">{}</span>', state, state)


@register.filter
def thousands(number: int | str | None) -> str:
    """12345 as 12,345; a dash for None, and for "", which a template makes of a gap."""
    return f"{number:,}" if isinstance(number, int) else "–"


@register.filter
def percent(share: float | str | None) -> str:
    """A share of 1 as per cent, without decimals; a dash where there is none."""
    return percent_in_words(share).replace(" ", NO_BREAK) if isinstance(share, float | int) else "–"


@register.filter
def chance(probability: float) -> str:
    """A probability as per cent, never 0 or 100, which no simulation can show."""
    return percentage(probability)


@register.filter
def percent1(share: float | str | None) -> str:
    """A share of 1 as per cent with one decimal; a dash where there is none."""
    return percent_in_words(share, 1).replace(" ", NO_BREAK) if isinstance(share, float | int) else "–"


@register.filter
def fixed(number: float | str | None, places: int) -> str:
    """A number with so many decimals, a true minus before it; a dash where there is none."""
    return printed(number, f".{places}f") if isinstance(number, float | int) else "–"


@register.filter
def p_value(number: float | str | None) -> str:
    """The p of a test, .023, or < .001; a dash where there is none."""
    return printed(number, P_VALUE) if isinstance(number, float | int) else "–"


@register.filter
def change(number: float | str | None) -> str:
    """A difference in JND with its sign, +0.41 or −0.41; a dash where there is none."""
    return signed(number) if isinstance(number, float | int) else "–"


@register.filter
def seconds(ms: float | str | None) -> str:
    """Milliseconds as seconds with one decimal; a dash where there is none."""
    return f"{ms / 1000:.1f}" if isinstance(ms, float | int) else "–"


@register.filter
def general(number: Decimal | float) -> str:
    """A number without idle zeros: 1.0000 as 1, 0.2300 as 0.23."""
    return f"{float(number):g}"


@register.filter
def rate(bpp: Decimal | float | str | None) -> str:
    """A bitrate or level with two decimals, or as many more as it has; a dash where there is none."""
    return rate_in_words(float(bpp)) if isinstance(bpp, Decimal | float | int) else "–"


@register.filter
def level_of(level: Decimal | float | None, study: Study) -> str:
    """A level of a study, as read after "at": 0.23 bpp if it is a bitrate, else level 30; a dash for none."""
    return "–" if level is None else level_in_words(float(level), study.bitrates)


@register.filter
def in_order(names: list[str]) -> list[str]:
    """Names of methods in the order of every table and figure."""
    return sorted(names)


@register.filter
def lasting(seconds: float) -> str:
    """What something takes, roughly, and not 0 where it is something: 1 s, 40 s, 12 min, 3.5 h."""
    return duration_in_words(max(seconds, 1) if seconds else 0)


@register.simple_tag
def moment(at: datetime | None, style: str = "line") -> SafeString | str:
    """A time in UTC, beside which times.js writes the local one; "–" for None. In a "table" the head says UTC."""
    if not at:
        return "–"
    shown = f"{at:%Y-%m-%d %H:%M}" if style == "table" else f"{at.day} {at:%B %Y, %H:%M} UTC"
    return format_html('<time datetime="{}" data-local>{}</time>', at.isoformat(timespec="seconds"), shown)


@register.filter
def instant(text: str) -> datetime | None:
    """A time that is stored as ISO 8601."""
    return parse_datetime(text)


@register.filter
def first_bold(words: str) -> SafeString:
    """A text whose first sentence is to be read first."""
    first, stop, rest = words.partition(". ")
    return format_html("<b>{}{}</b>{}", first, stop, rest)


@register.filter
def unbroken(words: str) -> str:
    """A text in which no line ends between ± and its number."""
    return words.replace("± ", "±\N{NO-BREAK SPACE}")


@register.filter
def ago(moment: datetime | None) -> str:
    """How long ago, as one says it."""
    if moment is None:
        return "never"
    gone = timezone.now() - moment
    steps: list[tuple[timedelta, str]] = [
        (timedelta(days=1), "day"),
        (timedelta(hours=1), "hour"),
        (timedelta(minutes=1), "minute"),
    ]
    for length, name in steps:
        if gone >= length:
            number = int(gone / length)
            return f"{number} {name}{'s' * (number > 1)} ago"
    return "just now"
