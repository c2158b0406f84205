"""The governed scheduler as kernels: many schedules over one account, an instant of time after the other."""
