"""The engines of this process: vLLM's `AsyncLLM`, each on a thread and an event loop of its own, shared and counted.

Any loop can ask an engine, and loading weights blocks nobody. A start that failed stays failed.
"""

from __future__ import annotations

import asyncio
import atexit
import importlib
import json
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from clinic_sim.errors import Rejected, Unavailable

T = TypeVar("T")
START_S = 1800.0
"""Most seconds until an engine is ready: large weights take minutes to load."""
STOP_S = 30.0


class Engine:
    """One `AsyncLLM` with the thread and the event loop that it lives on."""

    def __init__(self, name: str, options: dict[str, Any]) -> None:
        self.users = 0
        self.llm: Any = None
        self.tokenizer: Any = None
        self.context = 0
        """Most tokens of prompt and reply together."""
        self.defaults: dict[str, Any] = {}
        """Sampling parameters that the model's makers recommend, as vLLM's server takes them too."""
        self.refusals: tuple[type[Exception], ...] = (ValueError,)
        """What vLLM raises where the request, not the engine, is at fault."""
        self._name = name
        self._ending = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"vllm {name}", daemon=True)
        self._thread.start()
        self._start = asyncio.run_coroutine_threadsafe(self._load(options), self._loop)

    async def ready(self) -> None:
        """Wait for the weights; a start that failed stays failed and says so again.

        Raises:
            Rejected: there is no such model, or an option does not fit.
            Unavailable: the engine did not come up.
        """
        try:
            # Shielded: the start belongs to all who wait for it, and one who gives up must not cancel it.
            await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(self._start)), START_S)
        except TimeoutError as exc:
            raise Unavailable(f"{self._name}: vLLM was not ready in {START_S:g} s") from exc

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine that runs on the engine's loop; giving up here cancels it there."""
        try:
            return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))
        except asyncio.CancelledError:
            if self._ending:  # not the caller gave up, but the engine
                raise Unavailable(f"{self._name}: the engine was closed") from None
            raise

    def stop(self) -> None:
        """End the engine's processes and its thread; returns when they are gone or `STOP_S` is over."""
        if not self._thread.is_alive():
            return
        self._ending = True

        async def shut_down() -> None:
            left = asyncio.all_tasks() - {asyncio.current_task()}
            for task in left:
                task.cancel()  # who still waits for an answer is told, not left waiting
            await asyncio.gather(*left, return_exceptions=True)
            if self.llm is not None:
                self.llm.shutdown()
                self.llm = None

        ended = asyncio.run_coroutine_threadsafe(shut_down(), self._loop)
        ended.add_done_callback(lambda _: self._loop.call_soon_threadsafe(self._loop.stop))
        self._thread.join(STOP_S)
        if not self._thread.is_alive():
            self._loop.close()

    async def _load(self, options: dict[str, Any]) -> None:
        try:
            structured = importlib.import_module("vllm.config").StructuredOutputsConfig
            options = {**options, "structured_outputs_config": structured(**options["structured_outputs_config"])}
            arguments = importlib.import_module("vllm.engine.arg_utils").AsyncEngineArgs(**options)
            build = importlib.import_module("vllm.v1.engine.async_llm").AsyncLLM.from_engine_args
        except (TypeError, ValueError) as exc:
            raise Rejected(f"{self._name}: vLLM takes not this model, or not these engine options: {exc}") from exc
        except ImportError as exc:
            raise Unavailable(f"{self._name}: this vLLM cannot be used: {exc}") from exc
        try:
            self.llm = build(arguments)
        except (OSError, ValueError) as exc:
            raise Rejected(f"{self._name}: vLLM cannot load it: {exc}") from exc
        except Exception as exc:  # drivers, memory, kernels: no answer will come from this engine
            raise Unavailable(f"{self._name}: vLLM did not start: {type(exc).__name__}: {exc}") from exc
        refusal = getattr(importlib.import_module("vllm.exceptions"), "VLLMClientError", None)
        if refusal is not None:
            self.refusals = (ValueError, refusal)
        self.tokenizer = self.llm.get_tokenizer()
        config = self.llm.model_config
        self.context = int(config.max_model_len)
        self.defaults = dict(config.get_diff_sampling_param())


class _Engines:
    """The engines of this process: they hold a device's memory, so there can be but one for one model."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._engines: dict[str, Engine] = {}

    def take(self, name: str, options: dict[str, Any]) -> Engine:
        """The engine of these options; new, and starting, where there is none."""
        key = json.dumps(options, sort_keys=True, default=str)
        with self._lock:
            engine = self._engines.get(key)
            if engine is None:
                engine = self._engines[key] = Engine(name, options)
            engine.users += 1
            return engine

    def give_back(self, engine: Engine) -> None:
        """One user fewer; the last one ends it."""
        with self._lock:
            engine.users -= 1
            if engine.users:
                return
            self._engines = {key: e for key, e in self._engines.items() if e is not engine}
        engine.stop()

    def stop(self) -> None:
        """End all that were not given back."""
        with self._lock:
            left, self._engines = list(self._engines.values()), {}
        for engine in left:
            engine.stop()


ENGINES = _Engines()
atexit.register(ENGINES.stop)
