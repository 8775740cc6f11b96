"""The use cases behind the tasks: dial, check, apply callbacks, feed. No Celery in sight."""
