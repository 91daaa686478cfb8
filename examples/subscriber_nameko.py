"""A plain nameko service that hears of every registered candidate; of Jianding it needs only the broker.

    pip install nameko
    python examples/subscriber_nameko.py amqp://guest:guest@localhost:5672

The exchange of a service `s` is `s.events`, and the routing key is the event's type, as nameko has it; so any
event of any service can be subscribed to like this. The body is a CloudEvent in JSON, already decoded here.

nameko acknowledges an event even when its handler raises: what must not be missed is better read as in
subscriber_pika.py, or asked for again from the feed.
"""

import eventlet

eventlet.monkey_patch()

import sys  # noqa: E402

from nameko.events import event_handler  # noqa: E402
from nameko.runners import ServiceRunner  # noqa: E402


class Stranger:
    """Somebody who wants to know who takes part."""

    name = "stranger"

    @event_handler("registration", "CandidateRegistered")
    def on_candidate_registered(self, event):
        data = event["data"]
        print(f"{event['position']} candidate {data['candidate']} for batch {data['batch']}", flush=True)


if __name__ == "__main__":
    runner = ServiceRunner({"AMQP_URI": sys.argv[1]})
    runner.add_service(Stranger)
    runner.start()
    print("listening", flush=True)
    runner.wait()
