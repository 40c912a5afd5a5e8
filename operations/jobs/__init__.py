"""Jobs on SageMaker: training, tuning, batch transform; and the live endpoint as a scorer."""
