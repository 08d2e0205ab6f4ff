"""Chat models: what a role asks, what came back, what it cost. Nothing here knows of patients or doctors."""
