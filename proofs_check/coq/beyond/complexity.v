(* The mean and the variance of geometric complexity over all batches drawn without replacement (B14). *)

From Coq Require Import Reals Lia List.
From ImplicitSmoothness Require Import Sums batches dherin2022.complexity.
Open Scope R_scope.

Section Batches.
  Context {A : Type}.
  Variable norm : A -> R. (* the squared norm of the Jacobian at a datum *)

  Theorem mean_batch_complexity B (data : list A) : (1 <= B <= length data)%nat ->
    mean (complexity norm) (batches B data) = complexity norm data.
  Proof. exact (mean_of_batches norm B data). Qed.

  Theorem batch_complexity_variance B (data : list A) : (2 <= length data)%nat -> (1 <= B <= length data)%nat ->
    variance_of_batches norm B data = (1 - INR B / INR (length data)) * sample_variance norm data / INR B.
  Proof. exact (variance_of_batches_is norm B data). Qed.
End Batches.
