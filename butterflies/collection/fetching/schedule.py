"""Which request starts when: a queue for each host, and what waits for its next attempt."""

import heapq
import queue
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from butterflies.collection.fetching.fetch import Answer, Wanted, fetch
from butterflies.collection.fetching.settings import host_of
from butterflies.collection.fetching.web import Web


@dataclass
class Task:
    """A picture on its way.

    Attributes:
        wanted: the next request.
        version: of the picture that is being fetched.
        before: path of the picture that it replaces, relative to the collection.
        attempts: requests that failed.
        first: the request it began with, which is made anew when a later one fails.
        spared: failures that were put down to its host.
    """

    wanted: Wanted
    version: str
    before: str | None
    attempts: int
    first: Wanted
    spared: int = 0

    @property
    def host(self) -> str:
        return host_of(self.wanted.url)


@dataclass
class Schedule:
    """Tasks waiting for their turn."""

    web: Web
    ready: dict[str, deque[Task]] = field(default_factory=dict)
    later: list[tuple[float, str, Task]] = field(default_factory=list)

    def __len__(self) -> int:
        return sum(map(len, self.ready.values())) + len(self.later)

    def moving(self) -> int:
        """Tasks whose hosts work; the others must not keep further ones from coming."""
        down = {host for host in self.ready if self.web.pace(host).open}
        queued = sum(len(left) for host, left in self.ready.items() if host not in down)
        return queued + sum(task.host not in down for _, _, task in self.later)

    def add(self, task: Task, first: bool = False) -> None:
        """Queues a task with its host, unless the host is lost."""
        if self.web.pace(task.host).lost:
            return
        waiting = self.ready.setdefault(task.host, deque())
        waiting.appendleft(task) if first else waiting.append(task)

    def add_later(self, task: Task, when: float) -> None:
        heapq.heappush(self.later, (when, task.wanted.asset_id, task))

    def startable(self, now: float) -> Iterator[Task]:
        """The tasks whose request starts now, at their hosts' paces."""
        while self.later and self.later[0][0] <= now:
            self.add(heapq.heappop(self.later)[2], first=True)
        for host, waiting in self.ready.items():
            pace = self.web.pace(host)
            while waiting and not pace.wait(now):
                pace.start(now)
                yield waiting.popleft()
            if pace.lost:
                waiting.clear()

    def pause(self, now: float) -> float:
        """Seconds until something may start, at most one."""
        waits = [self.web.pace(host).wait(now) for host, left in self.ready.items() if left]
        waits += [self.later[0][0] - now] if self.later else []
        return max(0.0, min([*waits, 1.0]))

    def lost(self) -> list[str]:
        """Hosts that are given up."""
        return sorted(host for host in self.ready if self.web.pace(host).lost)


class Crew:
    """Threads that wait for hosts. They end with the process: an interrupt waits for none."""

    def __init__(self, web: Web) -> None:
        self.web, self.busy = web, 0
        self._ended: queue.SimpleQueue[tuple[Task, Answer | OSError]] = queue.SimpleQueue()

    def send(self, task: Task) -> None:
        self.busy += 1
        threading.Thread(target=self._work, args=(task,), daemon=True).start()

    def _work(self, task: Task) -> None:
        try:
            answer: Answer | OSError = fetch(self.web, task.wanted)
        except OSError as error:
            answer = error
        except Exception as error:  # a fault of this program costs one picture, not the run
            answer = Answer("failed", f"It could not be fetched: {error!r}.", "unharmed")
        self._ended.put((task, answer))

    def back(self, seconds: float) -> tuple[Task, Answer] | None:
        """A task with its answer, or None when there is none within some seconds.

        Raises:
            OSError: the picture could not be written.
        """
        try:
            task, answer = self._ended.get(timeout=max(seconds, 0.001))
        except queue.Empty:
            return None
        self.busy -= 1
        if isinstance(answer, OSError):
            raise answer
        return task, answer

    def rest(self, seconds: float) -> None:
        """Lets those that are still out come back, for some seconds; what they bring is lost."""
        until = time.monotonic() + seconds
        while self.busy and (left := until - time.monotonic()) > 0:
            with suppress(OSError):
                self.back(left)
