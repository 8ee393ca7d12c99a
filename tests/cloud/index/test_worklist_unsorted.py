"""A page is read off an index, in its order: sorting a hundred thousand slides takes too long."""

import pytest
import sqlalchemy as sa

from cloud.index import worklist
from cloud.index.index import Index
from cloud.index.tables import slides
from cloud.index.worklist import DONE, EVERY, Wanted

ASKED = {
    "what waits": Wanted(),
    "all": Wanted(states=EVERY),
    "what is done": Wanted(states=DONE),
    "one state": Wanted(states={"signed"}),
    "one urgency": Wanted(rank=2),
    "the one site of a laboratory": Wanted(site="home", states=EVERY),
    "a site and a state": Wanted(site="home", states={"open"}),
    "the sign with which every token begins": Wanted(token="s", states=EVERY),  # noqa: S106  # a slide's
    "two signs of those that wait": Wanted(token="s1"),  # noqa: S106  # as above
}


@pytest.mark.parametrize("wanted", ASKED.values(), ids=ASKED.keys())
def test_what_the_page_offers_is_never_sorted(tmp_path, wanted):
    index = Index(f"sqlite:///{tmp_path / 'index.sqlite'}")  # without statistics, as in use
    order = (slides.c.rank, slides.c.waiting_since, slides.c.site, slides.c.slide)
    query = sa.select(slides).where(*worklist._conditions(wanted)).order_by(*order).limit(51)
    written = str(query.compile(index.engine, compile_kwargs={"literal_binds": True}))
    with index.engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {written}").all()
    index.close()
    assert not [step for *_, step in plan if "TEMP B-TREE" in step]
