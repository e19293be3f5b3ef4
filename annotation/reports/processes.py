"""What the workers can do between them."""

from collections.abc import Iterable

from annotation.models import WorkerProcess
from annotation.queues import encode_queue
from codecs_zoo.contract import Availability, Codec


def availabilities(codecs: Iterable[Codec]) -> dict[str, Availability]:
    """By name, whether each codec can run where it is needed: in a worker that serves its queue.

    Without any such worker, as in a command or before the first start, this process answers for itself.
    """
    workers = list(WorkerProcess.objects.alive())
    return {codec.name: _availability(codec, workers) for codec in codecs}


def _availability(codec: Codec, workers: Iterable[WorkerProcess]) -> Availability:
    queue = encode_queue(codec)
    answers = [
        worker.codecs[codec.name]
        for worker in workers
        if queue in worker.queues and codec.name in worker.codecs
    ]
    if not answers:
        return codec.availability()
    return Availability(True) if "" in answers else Availability(False, answers[0])
