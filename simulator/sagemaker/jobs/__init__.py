"""Training, tuning and batch transform jobs, run with the real XGBoost."""
