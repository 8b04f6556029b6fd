"""From a need to a tool: candidates, policy, score, choice; and the arms of experiments. Pure."""
