# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the check of rds, shared by the modules that read it."""

from __future__ import annotations


class ModuleDocFragment:
    """Found by Ansible under this name."""

    DOCUMENTATION = r"""
options:
  region:
    description: AWS region of the instance.
    type: str
    required: true
  instance:
    description: Identifier of the primary instance.
    type: str
    required: true
  replica:
    description: Identifier of the read replica.
    type: str
  replica_region:
    description: AWS region of the read replica, if it is another one.
    type: str
  secret:
    description:
      - Secrets Manager id of the database credentials.
      - Host, port and user are reported, secrets only as fingerprints.
    type: str
  endpoint_url:
    description:
      - Address of an AWS emulator.
      - Without it AWS's own endpoints are used.
    type: str
  credentials_file:
    description:
      - Shared credentials file.
      - Without it boto3's own chain is used.
    type: path
  profile:
    description: Profile of the credentials file.
    type: str
  metric_period_seconds:
    description: Over how long CloudWatch averages; RDS has a figure a minute.
    type: int
    default: 60
  timeout:
    description: Seconds for connecting to AWS, and for each answer.
    type: float
    default: 3.0
  salt:
    description:
      - A random value made for one run.
      - With it, secrets are reported as fingerprints that can be compared within the run.
    type: str
  thresholds:
    description:
      - Where observations become bad.
      - A value at its threshold counts as beyond it.
    type: dict
    suboptions:
      storage_free_warning_pct:
        description: Percent of the allocated storage that is free.
        type: float
        default: 20.0
      storage_free_critical_pct:
        description: Percent of the allocated storage that is free.
        type: float
        default: 5.0
      metric_age_seconds:
        description: Older CloudWatch datapoints are not judged.
        type: float
        default: 900.0
      activity_silence_seconds:
        description: No datapoint of connections for this long means that AWS hears nothing from the server.
        type: float
        default: 240.0
      replica_lag_warning_seconds:
        description: Seconds the read replica is behind.
        type: float
        default: 60.0
      replica_lag_critical_seconds:
        description: Seconds the read replica is behind.
        type: float
        default: 300.0
      snapshot_warning_hours:
        description: Age of the newest complete snapshot.
        type: float
        default: 26.0
      snapshot_critical_hours:
        description: Age of the newest complete snapshot.
        type: float
        default: 48.0
      pitr_warning_seconds:
        description: Age of the latest moment that can be restored.
        type: float
        default: 600.0
      pitr_critical_seconds:
        description: Age of the latest moment that can be restored.
        type: float
        default: 3600.0
      backup_retention_days:
        description: Days that automated backups should be kept.
        type: int
        default: 30
      multi_az_expected:
        description: Whether Multi-AZ that is off is a V(warning).
        type: bool
        default: true
      replica_expected:
        description: Whether a read replica that is not named is a V(warning).
        type: bool
        default: false
      deletion_protection_expected:
        description: Whether deletion protection that is off is a V(warning).
        type: bool
        default: true
requirements:
  - boto3 (Python library) version 1.40 or later
"""
