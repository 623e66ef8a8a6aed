"""How gunicorn serves the bank: `gunicorn -c python:creditbank.gunicorn creditbank.wsgi`.

What the command line says wins over this; the demo's does. A proxy before it
ends TLS, limits bodies to 10 MB and slow ones to 10 seconds.
"""

import multiprocessing
import os

worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", 2 * multiprocessing.cpu_count() + 1))
threads = 4
# Loaded once and then forked: half the time and memory until the first page.
preload_app = True
timeout = 30
graceful_timeout = 25
max_requests = 2000
max_requests_jitter = 200
limit_request_line = 4094
limit_request_fields = 50
limit_request_field_size = 8190
# Whose X-Forwarded-* is believed: nobody's but the proxy's on this machine.
forwarded_allow_ips = os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1,::1")
# It would lie in the home folder of whoever runs this.
control_socket_disable = True
