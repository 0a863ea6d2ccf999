(* Volhejn 2020, eq 4.8: how small PL0, the mean variation of f over all ordered pairs of the data, can be (V14); and how many
   labels there are of each (V26). *)

From Coq Require Import Reals Lra Lia List.
From ImplicitSmoothness Require Import Sums vectors segments pairs.
Import ListNotations.
Open Scope R_scope.

(* A data point: its input, with any number of coordinates, and its label. *)
Notation sample := (vector * R)%type.
Definition label (p : sample) : R := snd p.

Definition gap_along (f : vector -> R) (p q : sample) (t u : R) : R :=
  Rabs (f (along (fst p) (fst q) u) - f (along (fst p) (fst q) t)).

(* PL0 (eq 3.5), V p q being TV_[p,q](f): where one is infinite, so is PL0, and nothing is left to prove. *)
Definition gives_variations (V : sample -> sample -> R) (f : vector -> R) (data : list sample) : Prop :=
  forall p q, In p data -> In q data -> is_variation (gap_along f p q) (V p q).
Definition function_path_length (V : sample -> sample -> R) (data : list sample) : R := mean_over_pairs V data.

Definition interpolates (f : vector -> R) (data : list sample) : Prop := forall p, In p data -> f (fst p) = label p.
Definition label_path_length (data : list sample) : R := mean_over_pairs (fun p q => Rabs (label p - label q)) data.

Lemma along_ends f p q : gap_along f p q 0 1 = Rabs (f (fst q) - f (fst p)).
Proof. unfold gap_along. rewrite along_start, along_end. reflexivity. Qed.

(* The variation along a segment is at least the difference at its ends (V1). *)
Lemma variation_at_least_difference f p q v : is_variation (gap_along f p q) v -> Rabs (f (fst p) - f (fst q)) <= v.
Proof. intros H. rewrite Rabs_minus_sym, <- along_ends. apply variation_at_least; auto. Qed.

(* V14: PL0(f) >= (1/n^2) sum_ij |y_i - y_j|, for any f through the data, any number of inputs. *)
Theorem path_length_at_least f data V : gives_variations V f data -> interpolates f data ->
  label_path_length data <= function_path_length V data.
Proof.
  intros HV I. apply mean_over_pairs_le; intros p q Hp Hq.
  rewrite <- (I p Hp), <- (I q Hq). apply variation_at_least_difference, HV; auto.
Qed.

(* Attained by functions that rise, or fall, along every segment. *)
Definition monotone_along_segments (f : vector -> R) (data : list sample) : Prop :=
  forall p q, In p data -> In q data ->
  let g t := f (along (fst p) (fst q) t) in
  (forall t u, 0 <= t <= u -> u <= 1 -> g t <= g u) \/ (forall t u, 0 <= t <= u -> u <= 1 -> g u <= g t).

Theorem path_length_attained f data V : gives_variations V f data -> interpolates f data ->
  monotone_along_segments f data -> function_path_length V data = label_path_length data.
Proof.
  intros HV I M. apply mean_over_pairs_eq; intros p q Hp Hq. apply Rle_antisym.
  - destruct (HV p q Hp Hq) as [_ L]. apply L. intros s [ts [P ->]].
    rewrite <- (I p Hp), <- (I q Hq), Rabs_minus_sym, <- along_ends.
    apply (variation_of_monotone (fun t => f (along (fst p) (fst q) t)) ts P (M p q Hp Hq)).
  - rewrite <- (I p Hp), <- (I q Hq). apply variation_at_least_difference, HV; auto.
Qed.

(* Labels -1 and 1: the double sum is 4 p (1 - p), p the share of labels 1. *)
Definition signs (data : list sample) : Prop := forall p, In p data -> label p = -1 \/ label p = 1.
Definition share_of_ones (data : list sample) : R :=
  mean (fun p => if Req_EM_T (label p) 1 then 1 else 0) data.

Theorem label_path_length_of_signs data : data <> [] -> signs data ->
  label_path_length data = 4 * share_of_ones data * (1 - share_of_ones data).
Proof.
  intros N S. unfold label_path_length, mean_over_pairs. set (one := fun p => if Req_EM_T (label p) 1 then 1 else 0).
  assert (H : forall p q, In p data -> In q data ->
    Rabs (label p - label q) = 2 * one p + (2 - 4 * one p) * one q).
  { intros p q Hp Hq; unfold one. destruct (S p Hp) as [-> | ->], (S q Hq) as [-> | ->];
      repeat (destruct Req_EM_T; try lra); unfold Rabs; destruct Rcase_abs; lra. }
  set (s := share_of_ones data).
  rewrite (mean_eq _ (fun p => 2 * s + (2 - 4 * s) * one p)).
  - rewrite mean_plus, mean_const, mean_scal by auto. change (mean one data) with s. ring.
  - intros p Hp. rewrite (mean_eq _ (fun q => 2 * one p + (2 - 4 * one p) * one q)) by (intros; apply H; auto).
    rewrite mean_plus, mean_const, mean_scal by auto. change (mean one data) with s. ring.
Qed.

(* V14.a: 1 for labels -1 and 1, half of each; and less otherwise. *)
Theorem balanced_labels data : data <> [] -> signs data ->
  label_path_length data <= 1 /\ (label_path_length data = 1 <-> share_of_ones data = 1 / 2).
Proof.
  intros N S; rewrite label_path_length_of_signs by auto. set (s := share_of_ones data).
  assert (0 <= (1 - 2 * s) * (1 - 2 * s)) by apply Rle_0_sqr.
  split; [lra|split; intros H1; [|rewrite H1; lra]].
  assert (Z : (1 - 2 * s) * (1 - 2 * s) = 0) by lra. apply Rmult_integral in Z; lra.
Qed.

(* V14.d: PL0(f) >= (1/n^2) sum_ij |y_i - y_j| - 2 (1 - 1/n) sqrt(L(f)), interpolating or not. *)
Definition loss (f : vector -> R) (data : list sample) : R := mean (fun p => (f (fst p) - label p) ^ 2) data.

Theorem path_length_at_a_loss f data V : data <> [] -> gives_variations V f data ->
  label_path_length data - 2 * (1 - 1 / INR (length data)) * sqrt (loss f data) <= function_path_length V data.
Proof.
  intros N HV. assert (P := length_pos data N). set (n := INR (length data)) in *.
  set (out := fun p q : sample => Rabs (f (fst p) - f (fst q))).
  assert (L : mean_over_pairs out data <= function_path_length V data).
  { apply mean_over_pairs_le; intros p q Hp Hq. apply variation_at_least_difference, HV; auto. }
  set (r := fun p : sample => Rabs (f (fst p) - label p)).
  set (gap := fun p q : sample => Rabs (label p - label q)).
  assert (as_sum : forall h, (forall p q, h p q = h q p) -> (forall p, h p p = 0) ->
    mean_over_pairs h data = 2 * over_pairs h data / (n * n)).
  { intros h S Z. unfold mean_over_pairs, mean. fold n. unfold Rdiv.
    rewrite sum_scal_r, ordered_pairs, sum_zero by auto. field; lra. }
  assert (Eo := as_sum out). assert (Eg := as_sum gap). unfold label_path_length. fold gap.
  rewrite Eo in L by (intros; unfold out; rewrite ?Rminus_eq_0, ?Rabs_R0; auto using Rabs_minus_sym).
  rewrite Eg by (intros; unfold gap; rewrite ?Rminus_eq_0, ?Rabs_R0; auto using Rabs_minus_sym).
  assert (T : over_pairs gap data <= over_pairs out data + (n - 1) * sum r data).
  { unfold n; rewrite <- over_pairs_split, <- over_pairs_plus. apply over_pairs_le; intros [p q] _; simpl.
    unfold gap, out, r. replace (label p - label q) with
      ((f (fst p) - f (fst q)) + (- (f (fst p) - label p) + (f (fst q) - label q))) by ring.
    eapply Rle_trans; [apply Rabs_triang|]. apply Rplus_le_compat_l.
    eapply Rle_trans; [apply Rabs_triang|]. rewrite Rabs_Ropp; lra. }
  assert (C : sum r data <= n * sqrt (loss f data)).
  { assert (S := sum_sq_le r data). fold n in S.
    assert (Q : sum (fun p => r p * r p) data = n * loss f data).
    { transitivity (sum (fun p => (f (fst p) - label p) ^ 2) data); [|unfold loss, mean; fold n; field; lra].
      apply sum_eq; intros p _; unfold r. rewrite <- Rabs_mult, Rabs_right; [ring|apply Rle_ge, Rle_0_sqr]. }
    assert (0 <= loss f data) by (apply mean_nonneg; auto; intros; apply pow2_ge_0).
    assert (0 <= sqrt (loss f data)) by apply sqrt_pos.
    assert (K := sqrt_sqrt (loss f data) H).
    apply Rsqr_incr_0_var; [unfold Rsqr; rewrite Q in S; nra|apply Rmult_le_pos; lra]. }
  assert (n1 : 0 <= n - 1).
  { enough (1 <= n) by lra. change 1 with (INR 1). apply le_INR. destruct data; [contradiction|simpl; lia]. }
  assert (T' : over_pairs gap data <= over_pairs out data + (n - 1) * (n * sqrt (loss f data))).
  { eapply Rle_trans; [exact T|]. apply Rplus_le_compat_l, Rmult_le_compat_l; auto. }
  assert (I : 0 < / (n * n)) by (apply Rinv_0_lt_compat; nra).
  replace (2 * (1 - 1 / n) * sqrt (loss f data)) with (2 * ((n - 1) * (n * sqrt (loss f data))) / (n * n))
    by (field; lra).
  unfold Rdiv in *. apply Rmult_le_compat_r with (r := / (n * n)) in T'; lra.
Qed.

(* V26.a: truncating two classes to m each balances them if it reaches into the smaller one, or they are as large. *)
Theorem truncation_balances (a b m : nat) : Nat.min a m = Nat.min b m <-> a = b \/ (m <= Nat.min a b)%nat.
Proof. lia. Qed.

(* V26, as printed: a limit above both leaves two classes as unequal as they are. *)
Theorem truncation_above_both (a b m : nat) : (a < m)%nat -> (b < m)%nat -> a <> b -> Nat.min a m <> Nat.min b m.
Proof. lia. Qed.
