"""Verifies an exported audit log, or the trail of somebody within it, with nothing but files and a policy.

It shares no code with what writes the log and imports nothing of the other folders, so it can be carried away
and run anywhere: `python -m verifier PATH --policy FILE`, with cryptography, orjson and typer installed.

    tree      Merkle hashing and proofs (RFC 6962)
    notes     signed notes, verifier keys, checkpoints, subject heads (C2SP)
    policy    whose signatures count (C2SP tlog-policy)
    leaf      what an entry has to look like
    span      one range of entries, in a process of its own
    joined    ranges joined in order: chains, links, ids
    batches   what sources state of closed batches
    export    a whole exported tree
    bundle    a trail
    verdict   what comes out, and which exit code it is

When several things are wrong, the gravest names the verdict: tampered, unreadable, incomplete, unwitnessed,
stale. Proof of a change stays proof whatever else is missing; a file that cannot be read leaves everything
open, and a missing one leaves open what was in it.
"""
