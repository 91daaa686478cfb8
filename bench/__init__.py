"""What it costs: every figure beside its peer or its limit, measured in the same run on private servers.

`make bench` runs all groups; `python -m bench --quick --only appending` looks at one. Nobody imports it.
"""
