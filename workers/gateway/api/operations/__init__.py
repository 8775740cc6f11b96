"""What each route takes and answers, for the OpenAPI document; tests hold it against the code."""
