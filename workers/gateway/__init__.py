"""The HTTP gateway: what others reach the dispatcher by. One router module for each concern."""
