"""The acceptance of stage 4: the steps of its runbook in order, and what they leave behind."""
