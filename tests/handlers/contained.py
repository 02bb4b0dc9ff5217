"""Modules with handlers that only a process of their own contains, and what is told of each."""


def body(*lines: str) -> str:
    """Return a module whose handler has these lines."""
    return "\n    ".join(("def handler(event, context):", *lines)) + "\n"


STUCK = {
    "loops": body("while True:", "    pass"),
    "loops_whatever_happens": body(
        "while True:", "    try:", "        pass", "    except BaseException:", "        pass"
    ),
    "counts_for_ever": body("import itertools", "for _ in itertools.count():", "    pass"),
    "matches_for_ever": body("import re", "re.match(r'(a+)+$', 'a' * 64 + 'b')"),
    "computes_in_c": body("return 9 ** (10 ** 9)"),
    "sleeps_in_c": body("import ctypes", "ctypes.CDLL(None).sleep(1000)"),
    "reads_a_pipe": body("import os", "os.read(os.pipe()[0], 1)"),
    "loops_in_its_trace": body(
        "import sys", "def trace(*_):", "    while True: pass", "sys.settrace(trace)", "len('')", "(lambda: 0)()"
    ),
    "loops_in_a_finalizer": body("class Odd:", "    def __del__(self):", "        while True: pass", "Odd()"),
    "loops_at_import": "while True:\n    pass\n",
    "recurses_for_ever": body("import sys", "sys.setrecursionlimit(10**9)", "def again(): again()", "again()"),
}
"""Each never gives way."""

DEADLY = {
    "exits_in_c": (body("import posix", "posix._exit(3)"), "(exit status 3): MODULE.py:3, in handler"),
    "exits_by_libc": (body("import ctypes", "ctypes.CDLL(None)._exit(7)"), "(exit status 7)"),
    "reads_null": (body("import ctypes", "ctypes.string_at(0)"), "(SIGSEGV): MODULE.py:3, in handler"),
    "aborts_in_c": (body("import ctypes", "ctypes.CDLL(None).abort()"), "(SIGABRT): MODULE.py:3, in handler"),
    "kills_itself_in_c": (body("import ctypes, os", "ctypes.CDLL(None).kill(os.getpid(), 9)"), "(SIGKILL)"),
    "replaces_itself": (
        body("import ctypes", "ctypes.CDLL(None).execl(b'/bin/true', b'true', None)"),
        "(exit status 0)",
    ),
    "closes_all_files": (body("import os", "os.closerange(0, 1000)"), "(exit status 0)"),
    "loses_len": (body("import builtins", "del builtins.len"), "(Python was unusable)"),
    "dumps_nothing_any_more": (body("import json", "json.dumps = None"), "(Python was unusable)"),
}
"""How each ends its process."""

VERDICTS = {
    "aborts": (body("import os", "os.abort()"), "crashed Runtime.ExitError"),
    "quits": (body("quit()"), "crashed Runtime.ExitError"),
    "allocates_a_terabyte": (body("bytearray(1 << 40)"), "raised MemoryError"),
    "allocates_without_end": (
        body("kept = []", "while True:", "    kept.append(bytes(1 << 28))"),
        "raised MemoryError",
    ),
    "opens_nothing_any_more": (body("import builtins", "builtins.open = None"), "processed"),
    "imports_nothing_any_more": (body("import builtins", "builtins.__import__ = None"), "SimulationError: TypeError: "),
    "sleeps_nothing_any_more": (body("import time", "time.sleep = None"), "processed"),
    "has_no_dates": (body("import datetime", "datetime.datetime = None"), "processed"),
    "has_no_sockets": (body("import socket", "socket.socket = None"), "SimulationError: TypeError: "),
    "forgets_all_modules": (body("import sys", "sys.modules.clear()"), "SimulationError: "),
    "forgets_its_path": (body("import sys", "del sys.path[:]"), "processed"),
    "forgets_chaosqs": (
        body("import sys", "for name in list(sys.modules):", "    if 'chaosqs' in name: del sys.modules[name]"),
        "SimulationError: ",
    ),
    "clears_the_environment": (body("import os", "os.environ.clear()"), "processed"),
    "closes_the_standard_files": (
        body("import os", "for number in range(3): os.close(number)"),
        "SimulationError: OSError: ",
    ),
    "closes_its_output": (body("import sys", "sys.stdout.close()", "sys.stderr.close()", "print('lost')"), "processed"),
    "has_no_output": (body("import sys", "sys.stdout = sys.stderr = None", "print('lost')"), "processed"),
    "prints_much": (body("for _ in range(100): print('x' * 1_000_000)"), "processed"),
    "writes_much_to_its_files": (body("import os", "for _ in range(100): os.write(1, b'x' * 1_000_000)"), "processed"),
    "lives_in_a_deleted_directory": (
        body("import os, tempfile", "folder = tempfile.mkdtemp()", "os.chdir(folder)", "os.rmdir(folder)"),
        "processed",
    ),
    "ends_loudly": (body("import atexit", "atexit.register(lambda: 1 / 0)"), "processed"),
    "ends_never": (
        body("import atexit, time", "def loop():", "    while True: pass", "atexit.register(loop)"),
        "processed",
    ),
    "warns_as_errors": (
        body("import warnings", "warnings.simplefilter('error')", "warnings.warn('odd')"),
        "raised UserWarning",
    ),
    "logs_nothing": (body("import logging", "logging.disable(logging.CRITICAL)"), "processed"),
    "hooks_its_threads": (body("import threading", "threading.excepthook = None"), "processed"),
    "profiles_with_errors": (
        body("import sys", "def odd(*_): raise KeyError('profile')", "sys.setprofile(odd)", "len('')"),
        "raised KeyError",
    ),
    "limits_its_files": (
        body("import resource", "resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))"),
        "SimulationError: OSError: ",
    ),
    "switches_slowly": (body("import sys", "sys.setswitchinterval(1000)"), "processed"),
    "lets_a_debugger_in": (body("breakpoint()"), "EscapedSimulation: "),
    "asks_the_user": (body("input()"), "raised EOFError"),
    "interrupts_itself": (body("import signal", "signal.raise_signal(signal.SIGINT)"), "EscapedSimulation: "),
    "presses_stop": (body("raise KeyboardInterrupt"), "crashed Runtime.ExitError"),
    "forks": (body("import os", "os.fork()"), "EscapedSimulation: "),
    "starts_a_low_thread": (body("import _thread", "_thread.start_new_thread(print, ())"), "processed"),
    "waits_for_an_event": (body("import threading", "threading.Event().wait()"), "timed out"),
    "waits_for_a_queue": (body("import queue", "queue.Queue().get()"), "timed out"),
    "asks_for_a_host": (body("import socket", "socket.create_connection(('example.com', 80))"), "EscapedSimulation: "),
    "opens_a_page": (
        body("import urllib.request", "urllib.request.urlopen('http://example.com')"),
        "EscapedSimulation: ",
    ),
    "sends_a_datagram": (
        body("import socket", "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 9))"),
        "EscapedSimulation: ",
    ),
    "swallows_a_connection": (
        body(
            "import socket",
            "try:",
            "    socket.create_connection(('192.0.2.1', 80))",
            "except BaseException:",
            "    pass",
        ),
        "EscapedSimulation: ",
    ),
    "raises_a_number": (body("raise 3"), "raised TypeError"),
    "raises_in_a_circle": (
        body("error = KeyError('round')", "error.__cause__ = error", "raise error"),
        "raised KeyError",
    ),
    "raises_a_long_word": (body("raise ValueError('x' * 10_000_000)"), "raised ValueError"),
    "raises_without_repr": (
        "class Odd(Exception):\n    def __repr__(self): raise KeyError\n" + body("raise Odd('odd')"),
        "raised Odd",
    ),
    "raises_lines_of_control": (body("raise ValueError('\\x1b[2J\\x00\\u202e\\nmore')"), "raised ValueError"),
    "raises_half_a_character": (body("raise ValueError('\\ud800')"), "raised ValueError"),
    "returns_a_deep_list": (
        body("deep = []", "for _ in range(100_000): deep = [deep]", "return deep"),
        "raised Runtime.MarshalError",
    ),
    "returns_a_huge_number": (body("return 10 ** 10_000"), "raised Runtime.MarshalError"),
    "returns_pairs_as_keys": (body("return {(1, 2): 3}"), "raised Runtime.MarshalError"),
    "returns_half_a_character": (body("return {'batchItemFailures': [], 'odd': '\\ud800'}"), "processed"),
    "returns_seven_megabytes": (body("return 'x' * 7_000_000"), "raised Function.ResponseSizeTooLarge"),
    "changes_its_event": (body("event.clear()", "context.__dict__ = {}"), "raised FrozenInstanceError"),
    "is_a_class": ("class handler:\n    def __init__(self, event, context): pass\n", "raised Runtime.MarshalError"),
    "is_a_method": ("class Odd:\n    def handler(self, event, context): pass\nhandler = Odd().handler\n", "processed"),
    "is_cached": ("import functools\n@functools.lru_cache\ndef handler(event, context): pass\n", "raised TypeError"),
    "takes_anything": ("def handler(*arguments, **options): assert len(arguments) == 2\n", "processed"),
    "is_an_async_generator": ("async " + body("yield 1"), "raised Runtime.MarshalError"),
    "is_a_number": ("handler = 3\n", "InvalidScenario: "),
    "is_none": ("handler = None\n", "InvalidScenario: "),
    "is_not_there": ("", "InvalidScenario: "),
    "is_no_python": ("def handler(event, context)\n", "InvalidScenario: "),
    "has_a_null": ("\x00", "InvalidScenario: "),
    "misses_a_package": ("import a_package_that_nobody_has\n", "InvalidScenario: "),
    "misses_a_variable": ("import os\nTABLE = os.environ['TABLE_THAT_NOBODY_SET']\n", "InvalidScenario: "),
    "imports_itself": ("from imports_itself import handler\n", "InvalidScenario: "),
    "exits_at_import": ("import sys\nsys.exit()\n", "InvalidScenario: "),
    "interrupts_at_import": ("raise KeyboardInterrupt\n", "InvalidScenario: "),
    "sleeps_at_import": ("import time\ntime.sleep(20)\n" + body("pass"), "timed out"),
    "connects_at_import": (
        "import socket\nsocket.create_connection(('192.0.2.1', 80))\n" + body("pass"),
        "InvalidScenario: ",
    ),
    "makes_a_client_at_import": (
        "import boto3\nclient = boto3.client('sqs')\n" + body("client.list_queues()"),
        "processed",
    ),
    "lists_buckets_at_import": ("import boto3\nboto3.client('s3').list_buckets()\n" + body("pass"), "processed"),
    "starts_a_thread_at_import": (
        "import threading\nthreading.Thread(target=print).start()\n" + body("pass"),
        "processed",
    ),
    "email": (body("import email.message"), "InvalidScenario: "),
    "has_a_metaclass": (
        "class Meta(type):\n    def __call__(cls, *_): raise ValueError\nclass handler(metaclass=Meta): pass\n",
        "raised ValueError",
    ),
    "answers_any_name": ("def __getattr__(name): raise AttributeError(name)\n", "InvalidScenario: "),
    "deletes_itself": (body("import os", "os.unlink(__file__)"), "NotDeterministic: "),
    "walks_all_objects": (body("import gc", "sum(1 for _ in gc.get_objects())", "gc.collect()"), "processed"),
    "takes_a_lock_twice": (
        body("import threading", "lock = threading.Lock()", "lock.acquire()", "lock.acquire()"),
        "timed out",
    ),
    "selects": (body("import select", "select.select([], [], [], 1000)"), "timed out"),
    "pauses": (body("import signal", "signal.pause()"), "EscapedSimulation: "),
    "raises_a_signal": (body("import signal", "signal.raise_signal(signal.SIGTERM)"), "EscapedSimulation: "),
}
"""The verdict on each, as in `odd_handlers`, or how its error begins, with a space at the end."""

NETWORK = (
    "asks_for_a_host",
    "opens_a_page",
    "sends_a_datagram",
    "swallows_a_connection",
    "connects_at_import",
    "makes_a_client_at_import",
    "lists_buckets_at_import",
)
"""Those that would reach the network."""
