(* Geometric complexity on batches drawn without replacement: its variance over all of them, and how many are far off (D12.a). *)

From Coq Require Import Reals Lra Lia List.
From ImplicitSmoothness Require Import Sums batches.
Import ListNotations.
Open Scope R_scope.

Section Batches.
  Context {A : Type}.
  Variable norm : A -> R. (* the squared norm of the Jacobian at a datum *)
  Implicit Types (data b : list A).

  Definition complexity data : R := mean norm data.

  Definition sample_variance data : R :=
    sum (fun x => (norm x - complexity data) * (norm x - complexity data)) data / (INR (length data) - 1).

  Definition variance_of_batches (B : nat) data : R :=
    mean (fun b => (complexity b - complexity data) * (complexity b - complexity data)) (batches B data).

  Lemma sum_of_squares data : data <> [] ->
    sum (fun x => (norm x - complexity data) * (norm x - complexity data)) data
    = INR (length data) * (mean (fun x => norm x * norm x) data - complexity data * complexity data).
  Proof.
    intros nonempty. pose proof (length_pos data nonempty).
    rewrite (sum_eq _ (fun x => norm x * norm x + ((-2 * complexity data) * norm x + complexity data * complexity data)))
      by (intros; ring).
    rewrite !sum_plus, sum_scal, sum_const.
    assert (sum norm data = INR (length data) * complexity data) as -> by (unfold complexity, mean; field; lra).
    unfold mean at 1. field. lra.
  Qed.

  Lemma variance_of_batches_is B data : (2 <= length data)%nat -> (1 <= B <= length data)%nat ->
    variance_of_batches B data = (1 - INR B / INR (length data)) * sample_variance data / INR B.
  Proof.
    intros two sizes.
    assert (nonempty : data <> []) by (intros ->; simpl in two; lia).
    assert (some : batches B data <> []) by (apply batches_exist; lia).
    assert (2 <= INR (length data)) by (change 2 with (INR 2); now apply le_INR).
    assert (0 < INR B) by (apply lt_0_INR; lia).
    unfold variance_of_batches, sample_variance. rewrite (sum_of_squares data nonempty).
    rewrite (mean_eq _ (fun b => mean norm b * mean norm b
      + ((-2 * complexity data) * mean norm b + complexity data * complexity data)))
      by (intros; unfold complexity; ring).
    rewrite !mean_plus, mean_scal, mean_const by easy.
    rewrite square_of_batches, mean_of_batches by easy.
    unfold noise_share, complexity. field. lra.
  Qed.

  (* The share of the batches that are off by t or more. *)
  Definition far_batches (t : R) (B : nat) data : R :=
    mean (fun b => if Rle_dec t (Rabs (complexity b - complexity data)) then 1 else 0) (batches B data).

  Theorem few_batches_are_far t B data : 0 < t -> (2 <= length data)%nat -> (1 <= B <= length data)%nat ->
    far_batches t B data <= (1 - INR B / INR (length data)) * sample_variance data / (INR B * (t * t)).
  Proof.
    intros pos two sizes.
    assert (0 < INR B) by (apply lt_0_INR; lia). assert (0 < INR (length data)) by (apply lt_0_INR; lia).
    replace ((1 - INR B / INR (length data)) * sample_variance data / (INR B * (t * t)))
      with (/ (t * t) * variance_of_batches B data)
      by (rewrite variance_of_batches_is by easy; field; repeat split; lra).
    unfold far_batches, variance_of_batches. rewrite <- mean_scal. apply mean_le. intros b _.
    set (d := complexity b - complexity data).
    assert (squared : 0 < t * t) by now apply Rmult_lt_0_compat. pose proof (Rinv_0_lt_compat _ squared).
    destruct (Rle_dec t (Rabs d)) as [far|near].
    - assert (t * t <= d * d).
      { replace (d * d) with (Rabs d * Rabs d)
          by (rewrite <- Rabs_mult; apply Rabs_pos_eq; apply Rle_0_sqr).
        apply Rmult_le_compat; lra. }
      replace 1 with (/ (t * t) * (t * t)) by (field; lra). apply Rmult_le_compat_l; lra.
    - apply Rmult_le_pos; [lra|apply Rle_0_sqr].
  Qed.
End Batches.
