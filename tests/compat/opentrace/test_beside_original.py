"""The published client beside ours: the same calls against the same server, bodies compared byte for byte.

Nothing in these bodies is volatile but the server's port, which they do not hold. The original sends each event in a
thread, so its program waits for them after each call.
"""

from __future__ import annotations

import json
import textwrap
from typing import Any, Final

import pytest

from compat.opentrace.recordings import RESOLVE, Recorder
from footspan.compat.opentrace import OpenTrace
from originals import original
from programs import run

ORIGINAL: Final = "opentrace==1.2.8"

CALLS: Final = [
    "track_event('a')",
    "track_event('a', 'q', {'k': 1}, 's', 'm', 'c', 'sid')",
    "track_event('a', project_id=7, session_id=123456789)",
    "track_event('a', project_id='', session_id='')",
    "track_event('a', session_id=1.5)",
    "track_event('a', session_id=True)",
    "track_event('a', session_id=['x', 1])",
    "track_event(5, payload={'k': None})",
    "track_event('')",
    "track_event(['n'], payload='text')",
    "track_event('x' * 300 + '\\n', payload=5)",
    "track_event('\\x00 \\u2028', payload=True)",
    "track_event('a', utm_source=5, utm_medium=1.5, utm_campaign=False)",
    "track_event('a', utm_source='', utm_medium='m', bot_param='')",
    "track_event('a', utm_source=['x'], utm_campaign={'y': 1})",
    "track_event('a', payload={'a': 1e22, 'b': -0.0, 'c': 1e-7, 'd': 2**63, 'e': -2**64, 'f': 10**40})",
    "track_event('a', payload={'l': [2**64, {'m': [2**70, 'x']}], '2': 2**65})",
    "track_event('a', payload=[2**64, 1])",
    "track_event('a', payload=2**64)",
    "track_event('a', payload={1: 'a', 1.5: 'b', None: 'c', False: 'd', 'k': {2: {None: 3}}})",
    "track_event('a', payload={'t': (1, (2, 3)), 'n': [], 'd': {}, 'nested': {'a': {'b': [{'c': None}]}}})",
    "track_event('a', payload=__import__('collections').namedtuple('P', 'x y')(1, 2))",
    "track_event('a', payload={'p': __import__('collections').namedtuple('P', 'x y')(1, 2)})",
    "track_event('a', payload={'e': __import__('enum').IntEnum('E', 'A B').B, 'h': __import__('http').HTTPStatus.OK})",
    "track_event('a', payload=__import__('collections').OrderedDict(z=1, a=2))",
    "track_event('\\u041f\\u0456 \\u2713', payload={'\\U0001f600': '\\x01\\t\\n\\u2028', 'q': '\"/\\\\'})",
    "track_event('a', payload={'session.id': 1, 'user.id': 'u', 'footspan.x': 2, 'k': 3})",
    "track_event('a', payload={'name': 1, 'timestamp': 2, 'category': 'c', 'session_id': 's', 'body': [1]})",
    "track_event('a', payload={'utm_source': 'x', 'fbclid': 'y', 'bot_param': 'z'})",
    "track_event('a', payload=0)",
    "track_event('a', payload='')",
    "track_event('a', bot_param='utm_known')",
    "track_event('a', bot_param='known', payload={'k': 1, 'bot_param': 'mine'})",
    "track_event('a', bot_param='known', payload={})",
    "track_event('a', bot_param='utm_unknown', payload={'k': 1})",
    "track_event('a', bot_param='known', utm_source='mine')",
    "track_event('a', bot_param='with space', session_id='7')",
    "capture('b')",
    "capture('b', {'k': 1}, 'r', 'u', 'fb', 'tt')",
    "capture('b', [1, 2], 7, 42, '', '')",
    "capture('b', None, 0, 0)",
    "capture('b', 'text', user_id='')",
    "capture('b', user_id=('a', 1), fbclid=5, ttclid=['x'])",
    "capture(7, {'k': {'deep': [1.0, 100.0, 1e16]}})",
    "track('c', {'k': 1}, user_id='u', ttclid='t')",
    "track('c', resource_id='r')",
    "track(name='c', payload={'a': 1})",
]

PROGRAM: Final = """
    import json, sys, threading
    from opentrace import OpenTrace

    ot = OpenTrace(sys.argv[1], "p")
    for call in json.loads(sys.argv[2]):
        eval("ot." + call)
        for thread in threading.enumerate():
            if thread is not threading.main_thread():
                thread.join(20)
"""

ANSWERS: Final[list[dict[str, Any]]] = [
    {
        "method": "GET",
        "path_prefix": RESOLVE + code,
        "status": 200,
        "body": {"utm_source": "telegram", "utm_medium": "bot", "utm_campaign": "spring", "utm_content": "banner"},
    }
    for code in ("known", "with%20space")
]


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["", "///", "/stats/", "?x=1"])
def test_the_same_calls_send_the_same_bytes(suffix: str) -> None:
    """To the same paths, in the order of the calls; the bodies' headers, too."""
    with Recorder(ANSWERS) as theirs, Recorder(ANSWERS) as ours:
        done = run(PROGRAM, None, theirs.url + suffix, json.dumps(CALLS), python=original(ORIGINAL))
        assert done.returncode == 0, done.stderr
        client = OpenTrace(ours.url + suffix, "p")
        for call in CALLS:
            eval(f"client.{call}", {"client": client})
        assert client.flush(60) == 0

        expected = dict(zip(CALLS, theirs.posted, strict=True))
        assert expected == dict(zip(CALLS, ours.posted, strict=True))
        names = ("content-type", "content-length", "accept")
        assert [{name: each.headers.get(name) for name in names} for each in theirs.requests if each.body] == [
            {name: each.headers.get(name) for name in names} for each in ours.requests if each.body
        ]


@pytest.mark.slow
def test_the_same_ids_have_the_same_hash() -> None:
    """For whatever has a text."""
    values = ["7", "'7'", "''", "None", "1.5", "b'x'", "(1, [2])", "'\\u041f'", "True", "{'k': 1}"]
    source = """
        import json, sys
        from opentrace import OpenTrace
        ot = OpenTrace("http://127.0.0.1:9")
        print(json.dumps([ot.get_user_hash(eval(each)) for each in json.loads(sys.argv[1])]))
    """
    done = run(textwrap.dedent(source), None, json.dumps(values), python=original(ORIGINAL))
    client = OpenTrace("http://127.0.0.1:9")

    assert json.loads(done.stdout) == [client.get_user_hash(eval(each)) for each in values]
