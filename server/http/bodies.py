"""A body on its way to its handler: gathered, or passed on piece by piece. Pure: the time is an argument."""

from server.http.limits import IDLE_SECONDS, Gathered, Limits, Share
from server.http.messages import Body, PourBody, ReadBody, Reply

_TOO_MUCH = "the bodies that are being read hold as much memory as they may"


class Arriving:
    """One body. ``share`` counts its part of the memory that bodies may hold; call ``Share.leave`` when it is over."""

    def __init__(self, wanted: ReadBody | PourBody, share: Share, limits: Limits, now: float) -> None:
        self.is_patient = isinstance(wanted, PourBody)
        """It may take as long as it likes."""
        self.due = now + (IDLE_SECONDS if self.is_patient else limits.body)
        """When the body must be complete; of a patient one, when the next piece must come."""
        self.share = share
        self._wanted = wanted
        self._limits = limits
        self._began = now
        self._gathered = Gathered()
        self._fault = ""

    def feed(self, piece: bytes, now: float) -> bool:
        """Takes the next bytes. False when no more should be read."""
        wanted = self._wanted
        if isinstance(wanted, PourBody):
            goes_on = wanted.sink.feed(piece)
            held = wanted.sink.held()
        else:
            gathered = self._gathered
            if piece and not gathered.size and wanted.is_patient is not None:
                self.is_patient = wanted.is_patient(piece)
            gathered.add(piece)
            held = gathered.size
            goes_on = held <= wanted.limit
        if self.is_patient:
            self.due = now + IDLE_SECONDS
        elif self._limits.rate is not None:
            self.due = self._began + self._limits.body + held / self._limits.rate
        if not self.share.hold(held, now):
            self._fault = _TOO_MUCH
            return False
        return goes_on

    def end(self, fault: str) -> Reply:
        """The body is over, ``fault`` as in Body. Returns the handler's reply."""
        fault = self._fault or fault
        wanted = self._wanted
        if isinstance(wanted, PourBody):
            return wanted.sink.end(fault)
        return wanted.then(Body(b"", fault) if fault else Body(self._gathered.whole()[: wanted.limit + 1]))
