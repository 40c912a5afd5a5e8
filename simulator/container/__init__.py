"""The built-in XGBoost container on this machine: its serving half and its training half."""
