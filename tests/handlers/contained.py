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
    "waits_for_a_socket": body("import socket", "one, other = socket.socketpair()", "one.recv(1)"),
    "opens_a_fifo": body("import os", "os.mkfifo(__file__ + '.fifo')", "open(__file__ + '.fifo')"),
    "locks_a_file_twice": body(
        "import fcntl", "one, other = open(__file__), open(__file__)", "fcntl.flock(one, 2)", "fcntl.flock(other, 2)"
    ),
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
        "EscapedSimulation: ",
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
    "is_a_context_manager": (
        "import contextlib\n@contextlib.contextmanager\n" + body("yield"),
        "raised Runtime.MarshalError",
    ),
    "is_a_single_dispatch": ("import functools\n@functools.singledispatch\n" + body("pass"), "processed"),
    "is_made_of_a_coroutine": (
        "import asyncio\nasync def work(): await asyncio.sleep(0.5)\nhandler = lambda *_: asyncio.run(work())\n",
        "processed",
    ),
    "gathers_threads_in_asyncio": (
        body(
            "import asyncio, time",
            "async def main(): await asyncio.gather(*(asyncio.to_thread(time.sleep, 1) for _ in range(3)))",
            "asyncio.run(main())",
        ),
        "processed",
    ),
    "leaves_a_task_behind": (
        body(
            "import asyncio",
            "async def main(): asyncio.create_task(asyncio.sleep(99))",
            "asyncio.run(main())",
        ),
        "processed",
    ),
    "feeds_a_queue_in_asyncio": (
        body(
            "import asyncio",
            "async def main():",
            "    queue = asyncio.Queue(1)",
            "    async def work():",
            "        while await queue.get(): await asyncio.sleep(0.1)",
            "    task = asyncio.create_task(work())",
            "    for item in (1, 2, 0): await queue.put(item)",
            "    await task",
            "asyncio.run(main())",
        ),
        "processed",
    ),
    "works_off_a_queue": (
        body(
            "import queue, threading, time",
            "jobs = queue.Queue()",
            "def work():",
            "    while True: jobs.get(); time.sleep(0.1); jobs.task_done()",
            "for _ in range(2): threading.Thread(target=work, daemon=True).start()",
            "for job in range(6): jobs.put(job)",
            "jobs.join()",
        ),
        "processed",
    ),
    "meets_at_a_barrier": (
        body(
            "import threading",
            "barrier = threading.Barrier(2)",
            "thread = threading.Thread(target=barrier.wait)",
            "thread.start(); barrier.wait(); thread.join()",
        ),
        "processed",
    ),
    "waits_at_a_barrier": (body("import threading", "threading.Barrier(2).wait()"), "timed out"),
    "has_a_condition": (
        body("import threading", "condition = threading.Condition()", "with condition: condition.wait(0.5)"),
        "processed",
    ),
    "has_a_schedule": (
        body(
            "import sched, time",
            "plan = sched.scheduler(time.monotonic, time.sleep)",
            "plan.enter(1, 1, print)",
            "plan.run()",
        ),
        "processed",
    ),
    "logs_through_a_queue": (
        body(
            "import logging, logging.handlers, queue",
            "records, log = queue.SimpleQueue(), logging.getLogger('odd')",
            "listener = logging.handlers.QueueListener(records, logging.StreamHandler())",
            "listener.start()",
            "log.addHandler(logging.handlers.QueueHandler(records))",
            "log.warning('odd')",
            "listener.stop()",
        ),
        "processed",
    ),
    "logs_to_a_server": (
        body(
            "import logging.handlers",
            "logging.root.addHandler(logging.handlers.SysLogHandler(('192.0.2.1', 514)))",
            "logging.warning('odd')",
        ),
        "EscapedSimulation: ",
    ),
    "sends_a_mail": (body("import smtplib", "smtplib.SMTP('192.0.2.1', 25)"), "EscapedSimulation: "),
    "listens": (body("import socket", "socket.create_server(('127.0.0.1', 0))"), "EscapedSimulation: "),
    "asks_for_a_name": (body("import socket", "socket.gethostbyaddr('192.0.2.1')"), "EscapedSimulation: "),
    "has_a_pair_of_sockets": (
        body("import socket", "one, other = socket.socketpair()", "one.send(b'x')", "assert other.recv(1) == b'x'"),
        "processed",
    ),
    "selects_for_a_time": (
        body(
            "import os, selectors",
            "selector = selectors.DefaultSelector()",
            "selector.register(os.pipe()[0], selectors.EVENT_READ)",
            "assert selector.select(0.5) == []",
            "reader, writer = os.pipe()",
            "os.write(writer, b'x')",
            "selector.register(reader, selectors.EVENT_READ)",
            "assert len(selector.select()) == 1",
        ),
        "processed",
    ),
    "selects_for_ever": (
        body(
            "import os, selectors",
            "selector = selectors.DefaultSelector()",
            "selector.register(os.pipe()[0], selectors.EVENT_READ)",
            "selector.select()",
        ),
        "EscapedSimulation: ",
    ),
    "asks_a_shell": (body("import os", "os.system('true')"), "EscapedSimulation: "),
    "opens_a_program": (body("import os", "os.popen('true').read()"), "EscapedSimulation: "),
    "has_a_process": (
        body("import multiprocessing", "multiprocessing.Process(target=print).start()"),
        "EscapedSimulation: ",
    ),
    "has_a_manager": (body("import multiprocessing", "multiprocessing.Manager()"), "EscapedSimulation: "),
    "sets_an_alarm": (body("import signal", "signal.alarm(1)"), "EscapedSimulation: "),
    "kills_its_parent": (body("import os", "os.kill(os.getppid(), 9)"), "EscapedSimulation: "),
    "kills_its_group": (body("import os", "os.killpg(0, 9)"), "EscapedSimulation: "),
    "leaves_its_group": (body("import os", "os.setsid()"), "EscapedSimulation: "),
    "limits_its_time": (
        body("import resource", "resource.setrlimit(resource.RLIMIT_CPU, (1, 1))", "while True: pass"),
        "EscapedSimulation: ",
    ),
    "asks_for_its_platform": (
        body("import getpass, os, platform, socket", "platform.platform(), platform.processor(), os.getpid()"),
        "processed",
    ),
    "raises_in_a_finalizer": (
        body("class Odd:", "    def __del__(self): raise KeyError('gone')", "Odd()"),
        "processed",
    ),
    "finalizes_with_errors": (
        body(
            "import weakref",
            "class Odd: pass",
            "odd = Odd()",
            "weakref.finalize(odd, lambda: 1 / 0)",
            "del odd",
        ),
        "processed",
    ),
    "freezes_its_memory": (body("import gc", "gc.freeze()", "gc.set_debug(gc.DEBUG_STATS)"), "processed"),
    "grows": ("KEPT = []\n" + body("KEPT.append(bytes(10_000_000))"), "processed"),
    "has_context_variables": (
        "import contextvars\nSEEN = contextvars.ContextVar('seen', default=0)\n"
        + body("assert SEEN.get() == 0", "SEEN.set(1)"),
        "processed",
    ),
    "has_variables_of_threads": (
        "import threading\nLOCAL = threading.local()\n"
        + body(
            "assert not hasattr(LOCAL, 'x')",
            "LOCAL.x, seen = 1, []",
            "thread = threading.Thread(target=lambda: seen.append(hasattr(LOCAL, 'x')))",
            "thread.start(); thread.join()",
            "assert seen == [False]",
        ),
        "processed",
    ),
    "replaces_boto3": (body("import boto3", "boto3.client = lambda *_, **__: None", "boto3.client('s3')"), "processed"),
    "replaces_botocore": (
        body(
            "import boto3, botocore.endpoint",
            "botocore.endpoint.Endpoint._send = None",
            "boto3.client('dynamodb', 'us-east-1').list_tables()",
        ),
        "raised TypeError",
    ),
    "changes_its_imports": (
        body("import sys", "sys.path.insert(0, '/nowhere')", "sys.path_hooks.clear()", "sys.meta_path.clear()"),
        "processed",
    ),
    "replaces_its_own_module": (
        "import sys, types\n" + body("sys.modules[__name__] = types.ModuleType('odd')", "sys.modules['json'] = None"),
        "processed",
    ),
    "reloads_itself": (body("import importlib, sys", "importlib.reload(sys.modules[__name__])"), "processed"),
    "executes_code": (body("exec(compile('import time; time.sleep(1)', '<odd>', 'exec'))"), "processed"),
    "has_a_database": (
        body("import sqlite3", "sqlite3.connect(':memory:').execute('create table t (x)')"),
        "processed",
    ),
    "keeps_temporary_files": (
        body(
            "import pathlib, tempfile",
            "with tempfile.TemporaryDirectory() as folder:",
            "    pathlib.Path(folder, 'x').touch()",
        ),
        "processed",
    ),
    "records_what_is_random": (
        body(
            "import chaosqs, os, random, ssl, uuid",
            "chaosqs.record('odd', a=str(os.getrandom(4)), b=str(ssl.RAND_bytes(4)), c=str(uuid.uuid1()))",
            "chaosqs.record('odd', a=random.SystemRandom().random(), b=str(os.times()))",
        ),
        "processed",
    ),
    "leaves_a_pool_behind": (
        body("from multiprocessing.pool import ThreadPool", "ThreadPool(2).apply_async(print)"),
        "processed",
    ),
    "sleeps_for_no_number": (body("import time", "time.sleep(float('nan'))"), "raised ValueError"),
    "sleeps_for_ages": (body("import time", "time.sleep(1e12)"), "timed out"),
    "prints_half_a_character": (body("print('\\ud800')"), "processed"),
    "raises_for_ever": (
        "class Odd(Exception):\n    def __str__(self): return str(self)\n" + body("raise Odd"),
        "crashed Runtime.ExitError",
    ),
    "swallows_its_end": (
        body("import time", "while True:", "    try: time.sleep(99)", "    except BaseException: pass"),
        "timed out",
    ),
    "sleeps_after_its_end": (
        body("import time", "try: time.sleep(99)", "finally:", "    while True: time.sleep(1)"),
        "timed out",
    ),
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
    "deletes_itself": (body("import os", "os.unlink(__file__)"), "raised OSError"),
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
