"""Probes: measurements between two peers, in a lane of the memory that they share.

How it is put together, and how a new test mode plugs in (docs/lane.md is the wire format):

* `lane` knows the layout, `place` chooses and finds a place, `keeper` lays a lane over other
  bytes and puts those back, `cards` and `presence` say who is there.
* `requests` are what a master asks and a responder answers. A test mode is one `Command`, one
  `Handler` (job.py) given to the `Responder`, and one function for the master's side
  that gets a `Master` (master.py), asks with its parameters, runs and ends.
* Hot loops run on a `RegionWindow` in Python, or in kernel.c through `kernel`; everything else
  goes through the Region, where a vanished page is an error with a name.
"""
