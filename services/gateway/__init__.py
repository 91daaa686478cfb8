"""The door (接入): HTTP API and web console, with no decisions of its own.

Every route is a call to one of the services, which checks who asks, decides, and says so.
"""
