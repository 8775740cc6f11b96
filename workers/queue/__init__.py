"""Celery: the apps, the tasks, what its events and Flower are told."""
