"""One step: inputs, policy, binding, output, and the facts it leaves. Knows nothing of Dagster."""
