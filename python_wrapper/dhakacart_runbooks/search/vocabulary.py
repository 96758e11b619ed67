# SPDX-License-Identifier: GPL-3.0-or-later
"""Which words of the field mean the same, for people to read and extend.

Before the colon a name, behind it everything that means it, phrases too; a line that is indented goes on with the one
above. Letter case and simple endings do not matter. A word may stand in several lines: an ``eviction`` is about memory
and about the cache.
"""

from __future__ import annotations

from collections.abc import Iterator

# First the parts of the platform, then what happens to them.
_SYNONYMS = """
database: database, db, postgres, postgresql, postgre, postgre sql, pg, psql, rds, psycopg, psycopg2, asyncpg, 5432,
    relation, sqlstate, libpq, pgbouncer, dhakacart_admin, wal, sql
redis: redis, elasticache, valkey, 6379, cache
kubernetes: kubernetes, k8s, kube, eks, kubectl
pod: pod, container, replica set
node: node, nodes, worker, nodegroup, node group, ec2, instance
load balancer: load balancer, loadbalancer, alb, elb, target group, ingress
shop: shop, site, website, web site, store, storefront, whole page, every page, homepage
frontend: frontend, front end, ui, page, pages, browser
prometheus: prometheus, prom, 9090
alertmanager: alertmanager, alert manager, 9093
grafana: grafana, dashboard, panel, graph, chart
elasticsearch: elasticsearch, elastic, elk, kibana, logstash, filebeat, 9200, 5601
disk: disk, disc, storage, pvc, volume, filesystem, ebs, free space, disk space, space
memory: memory, mem, ram, heap, oom, oom killed, oomkilled, oom killer, killed process, out of memory, 137, memory
    leak, rss, eviction
cpu: cpu, processor, cores, load average, throttling, throttled
image: image, docker, registry, ecr, ghcr
customer: customer, client side, shopper, buyer, everybody, everyone, nobody
order: order, checkout, purchase, buy, sales, cart
payment: payment, pay, stripe, card, card declined, refund, charge, payment intent

down: down, dead, died, die, gone, offline, unavailable, outage, lost, not alive, crashed, not running, not loading,
    does not load, nothing loads, unreachable
total outage: everything is down, everything down, all is down, all down, everything broken, nothing works, nothing
    loads, whole shop, whole site, site is down, shop is down, website is down, site down, shop down, all customers,
    total outage, complete outage, for everybody, for everyone, shop offline, site offline, no orders
hangs: hang, hung, froze, frozen, freeze, stuck, unresponsive, not responding, not respond, no response, no answer,
    never come back, never answer, never return, does not answer, timeout, timed out, time out, etimedout, timeout
    expired
connection refused: connection refused, econnrefused, conn refused, refuse connection, could not connect, can not
    connect, cannot connect, is the server running, econnreset, connection reset, connection terminated, terminating
    connection, connection closed, closed unexpectedly, 57p01, 57p03, starting up, shutting down, recovery mode
too many connections: too many clients, too many connections, remaining connection slots, connections exhausted,
    connection limit, no free connections, out of connections, max connections, 53300, connection high, connections
    high
wrong password: password authentication failed, wrong password, 28p01, 28000, invalid password, credentials, rotated,
    rotation, authentication failed
read-only: read only, readonly, read only transaction, 25006, cannot execute insert, cannot execute update,
    transaction read only
disk full: disk full, no space left on device, no space left, enospc, storage full, could not extend file, 53100, disk
    is full, out of disk, out of space
lock: lock, locks, lock timeout, 55p03, idle in transaction, blocking, blocked, blocks, wait for lock, lock wait
deadlock: deadlock, deadlock detected, 40p01, dead lock
standby: standby, replica, read replica, secondary, slave, follower, replication, wal receiver, wal segment, hot
    standby
primary: primary, master, leader, writer
lag: lag, lags, behind, delay, delayed, replication lag, replica lag
split brain: split brain, splitbrain, two masters, two primaries, both take writes, two writers, both accept writes,
    both primary, both masters
failover: failover, fail over, failed over, promote, promotion, promoted, take over, takes over, multi az, switchover
pool: pool, connection pool, pg pool, pool timeout, timeout exceeded when trying to connect
slow query: slow query, slow queries, query slow, queries are slow, statement timeout
runaway query: runaway query, long query, long running query, query is running, query runs, query running for, query
    hangs
missing index: missing index, needs index, no index, seq scan, sequential scan, full table scan, explain analyze,
    query plan
vacuum: vacuum, autovacuum, bloat, dead tuples, analyze, reindex
server error: 500, 5xx, internal server error, statuscode 500, http 500, error rate, high error rate, errors 500
gateway error: 502, 503, 504, bad gateway, service unavailable, gateway timeout, gateway time out, no healthy
    upstream, healthy targets, unhealthy targets, no live upstreams, upstream prematurely closed, upstream timed out
not ready: not ready, not_ready, notready, unready, readiness, readiness probe, liveness probe, probe failed, probes,
    health check, liveness
crash: crash, crashes, crashing, crash loop, crashloop, crash loop back off, crashloopbackoff, back off restarting,
    restarting, restarts, restart loop, keeps restarting
exception: exception, type error, typeerror, reference error, cannot read properties, undefined is not, unhandled
    rejection, unhandled promise, stack trace, stacktrace, traceback, syntax error, code bug, bug
login: login, log in, logged in, sign in, signin, signing in, authentication, jwt, jwt malformed, session, 401
blank page: blank page, white page, white screen, empty page, blank screen, blank
dns: dns, enotfound, getaddrinfo, nxdomain, servfail, name resolution, could not resolve host, coredns, resolve,
    resolving, lookup, no such host, server misbehaving, eai_again
cannot reach: cannot reach, can not reach, unreachable, no route to host, ehostunreach, enetunreach, network is
    unreachable, cannot talk, not reachable, cannot connect to each other, packet loss, i o timeout
firewall: firewall, network policy, networkpolicy, netpol, security group, nacl, sg rule, route table, nat, vpn,
    peering, subnet
slow: slow, slowly, sluggish, latency, response time, high response time, p95, p99, takes long, performance, event
    loop
heap: heap out of memory, javascript heap, heap limit, allocation failed
cache hit rate: cache hit rate, hit rate, hit ratio, cache misses, evictions, eviction, evicted, maxmemory, misconf
throttled: 429, too many requests, rate limit, rate limited, throttled
no data: no data, nodata, empty graph, empty dashboard, no datapoints, no metrics, absent
scrape: scrape, target down, servicemonitor, service monitor, exporter
notification: mail, email, e mail, notification, smtp, slack message, alerts do not arrive, does not send
autoscaler: hpa, autoscaler, autoscaling, auto scaling, horizontal pod autoscaler, cluster autoscaler, max replicas,
    scale, scaling, scale up, scale out, scale down, more pods, more nodes, add nodes, add pods, replicas
pending: pending, unschedulable, failed scheduling, failedscheduling, insufficient cpu, insufficient memory, nodes are
    available, preemption
traffic peak: traffic peak, traffic spike, flash sale, peak traffic, black friday, high traffic, lot of traffic
campaign: campaign, eid, festival, marketing event, promotion week, big sale
release: release, deploy, deployment, deployed, new version, version, ship, rolled out, helm upgrade, argo
rollout: rollout, roll out, progress deadline, rollout stuck
roll back: roll back, rollback, rolled back, revert, undo deploy, undo release, previous version, rollout undo, last
    release
image pull: image pull back off, imagepullbackoff, err image pull, errimagepull, failed to pull image, pull image,
    manifest unknown, image tag, wrong tag
blue/green: blue green, bluegreen, green, blue, switch colour
migration: migration, migrate, schema change, pgmigrations
deleted: deleted, delete from, delete, dropped, drop table, truncated, truncate, wiped, erased, without where, by
    accident, by mistake, accidentally, disappeared, vanished, missing rows, overwritten, corrupted, corruption
lost data: lost data, data loss, data lost, missing data, data disappeared, data gone, get data back, rows missing,
    data back, point in time, pitr, missing orders
backup: backup, back up, backups, snapshot, dump, pg dump, export, backup manager, backup verifier
restore: restore, restoring, restored, recover from backup
certificate: certificate, cert, certs, tls, ssl, x509, acm, cert manager, letsencrypt, let s encrypt, handshake, err
    cert, unknown authority, self signed
expired: expired, expires, expire, expiry, expiring, date invalid, not yet valid, has expired
attack: attack, attacker, hacked, hack, hacker, breach, breached, intrusion, intruder, compromised, exploit, malware,
    ransomware, crypto mining, cryptominer, miner, ddos, brute force, exfiltration, phishing, suspicious
leaked: leaked, leak, leaked credentials, exposed credentials, stolen credentials, key exposure, stolen key, access
    key, key pushed, public github, pushed to github, exposed secret, secrets were read, secret committed, api key
guardduty: guardduty, guard duty, security hub, cloudtrail, unauthorized access, unknown login, unknown admin, unknown
    user
access: access, permission, permissions, rbac, iam, role, account, accounts, aws auth, privileges, rights
joins or leaves: new developer, new colleague, new employee, new starter, onboarding, offboarding, left the company,
    leaves the company, leaving colleague, intern, colleague, new joiner, contractor
unauthorized: unauthorized, forbidden, 403, you must be logged in to the server, access denied, accessdenied, not
    authorized
paged: paged, pager, pagerduty, page me, woken up, woke me up, got an alert, got alert, got paged, alert fired, firing
silence: silence, mute, snooze, acknowledge, ack, inhibit
escalate: escalate, escalation, who is on call, on call, oncall, whom to call, who do i call, who to call, call whom
business figures: revenue, conversion, orders per hour, business metrics, sales figures, average order value
logs: logs, log, logfile, log files, log line, kubectl logs, correlation id, correlationid, request id, grep, tail
promql: promql, histogram quantile, histogram_quantile, nan, recording rule, query prometheus, metric, metrics, by
    route, percentile
routine: routine, weekly, monthly, daily, housekeeping, maintenance, maintenance window, clean up, cleanup, checks,
    checklist, routine work, scheduled, prune
vulnerability: vulnerability, vulnerabilities, vuln, vulns, cve, trivy, grype, snyk, npm audit, dependabot, security
    update, security patch, patch, patches, patched, patching, base image, ami, new ami, os update
forecast: forecast, growth, grow rate, capacity, estimate, how many nodes, enough, load test, loadtest, next month,
    next quarter, next year, trend, how long until, when will
drill: drill, practise, practice, rehearse, rehearsal, exercise, game day, gameday, chaos, test failover, restore
    test, dr test, simulate
disaster recovery: disaster, disaster recovery, dr, region failover, us east 1, other region, second region, rto, rpo,
    region
"""

# Words that say nothing about what is wrong: of the language, then of logs and of DhakaCart's own names. The phrases
# above are looked for before these are taken away.
_STOP = """
a about after again all already also always am an and any anything everything are as at be because been before being
both but by came can cant come could did do does doing dont done else ever every for from get gets getting give go
going got had has have having he hello help her here hi his how i if in into is isnt it its just keep let like lot
made make many may me more most much must my need needed now of off ok okay on once one only or other our out over own
please plz really run running said same say see seem seems shall she should show shows since so some somebody someone
sorry something still such take tell than thank thanks that the their them then there these they thing think this
those through to too try trying two under until up us use used using very via want wants was wasnt we well went were
what when where which while who whom whose why will with within without wont would yes yet you your no not nothing
back first last next new old good bad big look know way between per each few during today tonight yesterday tomorrow
morning night hour minute second day week min sec minutes hours seconds days ago

fail failed failing fails failure failures issue issues problem problems work works working resolution investigation
cannot unable group happen happens happened stay keep instead during current backend client host server process api
search find error fatal err info warn warning debug trace panic detail hint context reason message msg level code
status state type value name true false null none http https www com local svc cluster app src js py index lib modules
file line usr var nodejs dhakacart prod production staging dev env main default
"""

# Numbers that are names: HTTP statuses, exit codes, ports and SQLSTATEs.
_NUMBERS = "137 143 401 403 404 429 500 502 503 504 5432 5601 6379 9090 9093 9200 25006 28000 53100 53300"
# Words with capitals inside that are one word.
_WHOLE = "crashloopbackoff github guardduty javascript mysql nan networkpolicy postgresql promql typeerror"


def _table(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for row in text.replace("\n    ", " ").strip().splitlines():
        if row:
            name, _, variants = row.partition(":")
            yield name, tuple(variant.strip() for variant in variants.split(","))


SYNONYMS: dict[str, tuple[str, ...]] = dict(_table(_SYNONYMS))
STOP = frozenset(_STOP.split())
NUMBERS = frozenset(_NUMBERS.split())
WHOLE = frozenset(_WHOLE.split())
