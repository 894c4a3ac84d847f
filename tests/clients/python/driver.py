"""Does with the generated client what a customer does first, and prints what it saw."""

import json
from os import environ
from pathlib import Path
from time import sleep
from typing import TypeVar

from tubex_client import AuthenticatedClient, Client
from tubex_client.api.auth import me, sign_in, sign_out
from tubex_client.api.imports import import_price_file, read_import
from tubex_client.api.items import change_item, list_items
from tubex_client.models import (
    AcceptedOut,
    ImportForm,
    ImportOut,
    ItemOut,
    ItemPatch,
    MeOut,
    PageOutItemOut,
    PriceBody,
    ProblemOut,
    SignInIn,
    TokensOut,
)
from tubex_client.types import File

Wanted = TypeVar("Wanted")


def expect(kind: type[Wanted], answer: object) -> Wanted:
    assert isinstance(answer, kind), answer
    return answer


address = f"http://{environ['TUBEX_ADDRESS']}"
headers = {"Host": environ["TUBEX_HOST"]}

stranger = Client(base_url=address, headers=headers)
credentials = SignInIn(email=environ["TUBEX_EMAIL"], password=environ["TUBEX_PASSWORD"])
tokens = expect(TokensOut, sign_in.sync(client=stranger, body=credentials))
token = expect(str, tokens.access_token)
tubex = AuthenticatedClient(base_url=address, headers=headers, token=token)
myself = expect(MeOut, me.sync(client=tubex))

with Path(environ["TUBEX_PRICE_FILE"]).open("rb") as prices:
    form = ImportForm(file=File(payload=prices, file_name="prices.csv"), apply=True)
    sent = expect(AcceptedOut, import_price_file.sync(client=tubex, body=form))
while True:
    report = expect(ImportOut, read_import.sync(sent.id, client=tubex))
    if report.finished_at is not None:
        break
    sleep(0.05)

page = expect(PageOutItemOut, list_items.sync(client=tubex, q="brick", limit=10))
found = page.data[0]
price = expect(PriceBody, found.price)
before = f'"{found.version}"'
change = ItemPatch(name="Red brick")
changed = expect(
    ItemOut, change_item.sync(found.id, client=tubex, body=change, if_match=before)
)
late = expect(
    ProblemOut, change_item.sync(found.id, client=tubex, body=change, if_match=before)
)

assert sign_out.sync_detailed(client=tubex).status_code == 204
nobody = expect(ProblemOut, me.sync(client=tubex))

saw = {
    "email": myself.email,
    "created": report.counts.created,
    "sku": found.sku,
    "amount": price.amount,
    "name": changed.name,
    "late": late.code,
    "after": nobody.code,
}
print(json.dumps(saw))
