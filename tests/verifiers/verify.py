"""Reads one delivery and says whether the PyPI package `standardwebhooks`, unmodified, accepts it."""

import json
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

asked = json.load(sys.stdin)
try:
    Webhook(asked["secret"]).verify(asked["body"], asked["headers"])
    print("accepted")
except WebhookVerificationError:
    print("refused")
