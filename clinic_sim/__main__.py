"""`python -m clinic_sim`: the `clinic-sim` command."""

from clinic_sim.cli import main

main()
