"""The console: what people on call look at and act in. Server-rendered, nothing from elsewhere."""
