# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the check of kubernetes, shared by the modules that read it."""

from __future__ import annotations


class ModuleDocFragment:
    """Found by Ansible under this name."""

    DOCUMENTATION = r"""
options:
  kubeconfig:
    description:
      - Kubeconfig file.
      - Without it O(eks_cluster) is used, else the account of the pod this runs in, else the client's default file.
    type: path
  context:
    description: Context of the kubeconfig.
    type: str
  eks_cluster:
    description: Name of an EKS cluster to sign in to with AWS credentials, when there is no kubeconfig.
    type: str
  region:
    description: AWS region of O(eks_cluster).
    type: str
  aws_profile:
    description: Profile of the AWS credentials file.
    type: str
  aws_credentials_file:
    description:
      - Shared credentials file of AWS.
      - Without it boto3's own chain is used.
    type: path
  aws_endpoint_url:
    description: Address of an AWS emulator.
    type: str
  namespace:
    description: Namespace of the workload.
    type: str
    default: dhakacart
  deployment:
    description: Name of the Deployment.
    type: str
    default: dhakacart-backend
  selector:
    description: Label selector of its pods.
    type: str
    default: app=dhakacart-backend
  service:
    description: Name of the Service in front of the pods.
    type: str
    default: dhakacart-backend-service
  hpa:
    description: Name of the HorizontalPodAutoscaler.
    type: str
    default: dhakacart-backend-hpa
  pdb:
    description: Name of the PodDisruptionBudget.
    type: str
    default: dhakacart-backend-pdb
  secret:
    description: Name of the Secret with the shop's database settings.
    type: str
    default: dhakacart-secrets
  secret_host_key:
    description: Key of the database host in O(secret).
    type: str
    default: db-host
  secret_port_key:
    description: Key of the database port in O(secret).
    type: str
    default: db-port
  secret_user_key:
    description: Key of the database user in O(secret).
    type: str
    default: db-user
  secret_password_key:
    description:
      - Key of the database password in O(secret).
      - It is reported as a fingerprint only.
    type: str
    default: db-password
  use_external_secrets:
    description: Whether External Secrets writes O(secret).
    type: bool
    default: false
  external_secret:
    description:
      - Name of the ExternalSecret.
      - Read only with O(use_external_secrets).
    type: str
    default: dhakacart-db-credentials
  log_lines:
    description: Lines of the log that are kept of each pod that is not ready.
    type: int
    default: 20
  timeout:
    description: Seconds for each request, and for all pages of one list.
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
      ready_critical_pct:
        description: Percent of the wanted replicas that are ready.
        type: float
        default: 50.0
      restart_recent_seconds:
        description: A container that ended longer ago is not counted.
        type: float
        default: 900.0
      restarts_critical:
        description: Restarts of a pod that ended recently, which count as a crash loop.
        type: int
        default: 5
      pending_warning_seconds:
        description: Age of a pod that is not ready, which is mentioned.
        type: float
        default: 60.0
      rollout_stuck_seconds:
        description: Time without progress after which a rollout is stuck.
        type: float
        default: 600.0
      event_warning_count:
        description: Warnings in 30 minutes.
        type: int
        default: 1
      clock_skew_seconds:
        description: Difference between this machine's clock and the cluster's.
        type: float
        default: 60.0
requirements:
  - kubernetes (Python library) version 36 or later
"""
