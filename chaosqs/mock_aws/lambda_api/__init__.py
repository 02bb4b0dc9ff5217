"""Lambda's API: functions, versions, event source mappings, invocations."""
