"""What the workers can do between them."""

from collections.abc import Iterable, Mapping

from annotation.models import WorkerProcess
from annotation.queues import encode_queue
from codecs_zoo.contract import Availability, Codec
from codecs_zoo.variants import Variant


def availabilities(codecs: Iterable[Codec]) -> dict[str, Availability]:
    """By name, whether each codec can run where it is needed, with the map that weighs it: in a worker that
    serves its queue.

    Without any such worker, as in a command or before the first start, this process answers for itself.
    """
    workers = list(WorkerProcess.objects.alive())
    return {codec.name: _availability(codec, workers) for codec in codecs}


def map_option(kind: str) -> str:
    """What a worker calls a saliency map among its codecs."""
    return f"saliency={kind}"


def _availability(codec: Codec, workers: Iterable[WorkerProcess]) -> Availability:
    queue = encode_queue(codec)
    serving = [worker.codecs for worker in workers if queue in worker.queues]
    state = _reported(codec.family, serving) or codec.availability()
    kind = codec.fixed.get("saliency") if isinstance(codec, Variant) else None
    if not state.available or kind is None:
        return state
    from codecs_zoo.saliency.maps import availability as map_availability  # scipy, which the web seldom needs

    return _reported(map_option(str(kind)), serving) or map_availability(str(kind))


def _reported(name: str, serving: Iterable[Mapping[str, str]]) -> Availability | None:
    """What workers say of a codec or an option; None where none says anything."""
    answers = [codecs[name] for codecs in serving if name in codecs]
    if not answers:
        return None
    return Availability(True) if "" in answers else Availability(False, answers[0])
