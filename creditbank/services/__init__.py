"""The bank's surroundings without set-up: a real PostgreSQL and a real Valkey, from wheels.

`make demo` and the tests start and stop them here; production brings its own
and sets `DATABASE_URL` and `REDIS_URL`. Nothing here imports Django.
"""
