"""A bare AMQP consumer that misses no event of registration, and notices when one was altered or left out.

    pip install pika
    python examples/subscriber_pika.py amqp://guest:guest@localhost:5672

Its queue is durable: it fills while this program is away. Each event holds its `position` in registration's
log and the SHA-256 of the event before it, so whoever remembers the last position and hash can tell

- a repeated event: its position is not beyond the last one; skip it (the bus may deliver twice);
- a gap: its position is beyond the next one; ask registration for what is between, then go on:

      who = {"actor": "follower-1", "role": "supervisor", "body": "centre"}  # a log is not for everybody
      with ClusterRpcProxy({"AMQP_URI": ...}, context_data=who) as services:  # nameko's, or any AMQP RPC
          page = services.registration.events_after(position=last, limit=500)
      for body in map(str.encode, page["events"]): ...                       # the same bytes as on the bus

- an altered event: its `previoushash` is not the hash of the one before; believe the feed, and tell somebody.

A real consumer writes position and hash into its database in the transaction of its effect, and acknowledges
after the commit. This one begins with the first event that it sees.
"""

import json
import sys
from hashlib import sha256

import pika

QUEUE, EXCHANGE = "stranger.registration", "registration.events"


class Chain:
    """Where in registration's log we are."""

    position, head = 0, ""

    def follows(self, event):
        """Whether this is the next event; the very first one is believed."""
        return self.position == 0 or (event["position"], event["previoushash"]) == (
            self.position + 1,
            self.head,
        )

    def move(self, event, body):
        self.position, self.head = event["position"], sha256(body).hexdigest()


def main():
    chain = Chain()

    def on_message(channel, method, _properties, body):
        event = json.loads(body)
        if event["position"] > chain.position:
            note = "" if chain.follows(event) else "  GAP OR ALTERED: ask registration's feed"
            print(f"{event['position']} {event['type']} {event['subject']}{note}", flush=True)
            chain.move(event, body)
        channel.basic_ack(method.delivery_tag)

    connection = pika.BlockingConnection(pika.URLParameters(sys.argv[1]))
    channel = connection.channel()
    channel.exchange_declare(EXCHANGE, "topic", durable=True)
    channel.queue_declare(QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
    channel.queue_bind(QUEUE, EXCHANGE, routing_key="#")  # or one type: "CandidateRegistered"
    channel.basic_qos(prefetch_count=100)
    channel.basic_consume(QUEUE, on_message)
    print("listening", flush=True)
    channel.start_consuming()


if __name__ == "__main__":
    main()
