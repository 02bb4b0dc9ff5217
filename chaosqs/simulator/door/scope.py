"""Where a request says which Region it is for: in the scope of its signature, as AWS itself reads it.

The address does not always tell: it may be one of the user's own.
"""

from __future__ import annotations

import re

from botocore.awsrequest import AWSPreparedRequest

from chaosqs.simulator.door.wire import header
from chaosqs.simulator.operations.region import REGION

_SCOPE = re.compile(r"Credential=[^/]*/[^/]*/([^/]+)/")


def scope(service: str, region: str) -> str:
    """Return an Authorization header that names a scope, and signs nothing."""
    return f"AWS4-HMAC-SHA256 Credential=chaosqs/19700101/{region}/{service}/aws4_request"


def region_of(request: AWSPreparedRequest) -> str:
    """Return the Region that a request is for, the default one where it does not say."""
    found = _SCOPE.search(header(request, "Authorization"))
    return REGION if found is None else found[1]
