"""The use cases behind the tasks: dial, check, apply callbacks. No Celery in sight."""
