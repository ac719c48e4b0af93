"""Forgetting a person: whose an event is, what stands in its place, and every file of a spool where one may be.

* ``person``: who is meant, and whether an event is theirs.
* ``suppressed``: the list of people of whom nothing is sent any more.
* ``lines``: one line with somebody's events made blank.
* ``sweep``: all files of a spool, overwritten in place while others write and read them.
"""
