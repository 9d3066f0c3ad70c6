import datetime as dt

from genie_assets.domain.fetch_plan import FetchRequest
from genie_assets.domain.tables import GENIE_API_MESSAGES
from genie_assets.gateways.genie_api import Answer, FetchResult
from genie_assets.gateways.lakehouse import open_lakehouse
from genie_assets.pipeline.batches import BatchWriter

MONDAY = dt.date(2026, 3, 2)
NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)


def test_what_is_remembered_of_a_stored_message_does_not_grow_with_its_text(tmp_path):
    """Texts that stay in memory until the run ends make a day of long answers end it for lack of memory."""
    known = {}
    writer = BatchWriter(
        open_lakehouse(str(tmp_path)), event_date=MONDAY, run_id="r", known=known, errors={}, clock=lambda: NOON
    )
    body = {"message_id": "m", "conversation_id": "c", "content": "long " * 200_000, "status": "COMPLETED"}
    request = FetchRequest("w", "https://w.example.com", "s", "c", ("m",), "GET")
    writer.take(FetchResult(request, (Answer(body, "GET", NOON),)))
    writer.close()
    assert open_lakehouse(str(tmp_path)).read(GENIE_API_MESSAGES)["raw_json"].str.len().tolist() > [1_000_000]
    assert len(repr(known["w", "m"])) < 2_000
