"""Telegram bots: each update is a span and an event, and what a handler tracks belongs to who wrote.

* ``aiogram`` and ``python_telegram_bot``: the instrumentors of the two libraries.
* ``handling``: one update under way, whatever the library.
* ``updates``: what an update says; ``people``: who wrote, in which session, by which campaign.
* ``failures``: an exception without what the user wrote.
"""
