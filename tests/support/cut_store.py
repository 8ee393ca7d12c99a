"""A bucket whose line can be cut."""

from obstore.exceptions import GenericError
from slide_results import memory

from cloud.stores.objects import Objects


class Cut(Objects):
    """In memory; while `away`, nothing is answered."""

    def __init__(self):
        super().__init__(memory()[0], 0.05, lambda _: None)
        self.away = False

    async def _write(self, *args):
        self._look()
        return await super()._write(*args)

    async def _read(self, *args):
        self._look()
        return await super()._read(*args)

    async def _list(self, *args):
        self._look()
        return await super()._list(*args)

    def _look(self):
        if self.away:
            raise GenericError("the line is cut")
