(* Mulayoff, Michaeli and Soudry 2021, footnote 4: a training sample that occurs twice (M20). *)

From Coq Require Import Reals Lra Lia List.
From ImplicitSmoothness Require Import Sums two_layer mulayoff2021.stability mulayoff2021.smooth.
Import ListNotations.
Open Scope R_scope.

Lemma squares_pos {A : Type} (F : A -> R) l : 0 <= sum (fun a => F a * F a) l.
Proof. apply sum_sq_nonneg. Qed.

Lemma in_length {A : Type} (a : A) l : In a l -> 0 < INR (length l).
Proof. intros H. apply length_pos. now intros ->. Qed.

(* M20: the loss is 0 with the copy if and only if it is without. *)
Theorem copy_keeps_the_fit (errors : list R) (copied : R) :
  In copied errors ->
  mean (fun r => r * r) (copied :: errors) / 2 = 0 <-> mean (fun r => r * r) errors / 2 = 0.
Proof.
  intros H. pose proof (in_length _ _ H) as n. pose proof (squares_pos (fun r => r) errors) as pos.
  pose proof (sum_ge_term (fun r => r * r) errors copied ltac:(intros; nra) H) as one. simpl in pos, one.
  unfold mean. rewrite sum_cons. replace (INR (length (copied :: errors))) with (INR (length errors) + 1)
    by (simpl length; rewrite S_INR; lra).
  set (S := sum (fun r => r * r) errors) in *. set (k := INR (length errors)) in *.
  assert (forall a b, 0 < b -> a / b / 2 = 0 <-> a = 0) as zero.
  { intros a b Hb. split; [|intros ->; field; lra].
    intros E. replace a with (a / b / 2 * (b * 2)) by (field; lra). rewrite E. ring. }
  rewrite !zero by lra. split; intros; nra.
Qed.

(* M20.b: n/(n + 1) H <= H' <= 2n/(n + 1) H for the Hessians without the copy and with it. *)
Theorem hessian_with_copy (net : network) (x : list R) (copied : R) (v : parameter -> R) :
  In copied x ->
  let n := INR (length x) in
  let without := quadratic (parameters net) (hessian net x) v in
  let with_it := quadratic (parameters net) (hessian net (copied :: x)) v in
  Rabs (with_it - 3 / 2 * (n / (n + 1) * without)) <= 1 / 2 * (n / (n + 1) * without).
Proof.
  intros H n without with_it. pose proof (in_length _ _ H) as n_pos. fold n in n_pos.
  pose proof (sum_ge_term (fun t => slope net v t * slope net v t) x copied ltac:(intros; nra) H) as one. cbv beta in one.
  unfold without, with_it. rewrite !quadratic_hessian. unfold mean. rewrite sum_cons.
  replace (INR (length (copied :: x))) with (n + 1) by (unfold n; simpl length; rewrite S_INR; lra).
  fold n. set (S := sum (fun t => slope net v t * slope net v t) x) in *. set (a := slope net v copied) in *.
  replace ((a * a + S) / (n + 1) - 3 / 2 * (n / (n + 1) * (S / n))) with ((a * a - S / 2) * / (n + 1)) by (field; lra).
  replace (1 / 2 * (n / (n + 1) * (S / n))) with (S / 2 * / (n + 1)) by (field; lra).
  assert (0 < / (n + 1)) by (apply Rinv_0_lt_compat; lra).
  rewrite Rabs_mult, (Rabs_pos_eq (/ (n + 1))) by lra. apply Rmult_le_compat_r; [lra|].
  assert (0 <= a * a) by nra. apply Rabs_le. lra.
Qed.

(* M20.a is false: f = [t]_+ on -1 and 1 is less sharp than on -1, 1 and 1. *)
Theorem copy_changes_the_sharpness :
  exists (net : network) (x : list R) (copied c : R),
    In copied x /\ off_the_data net x
    /\ lambda_max_at_most (parameters net) c (hessian net x)
    /\ ~ lambda_max_at_most (parameters net) c (hessian net (copied :: x)).
Proof.
  exists (Network [Neuron 1 0 1] 0), [-1; 1], 1, (11 / 5).
  assert (forall v t, slope (Network [Neuron 1 0 1] 0) v t
    = (if Rlt_dec 0 t then t * v (W1 0) + v (B1 0) + t * v (W2 0) else 0) + v B2) as along.
  { intros v t. unfold slope. rewrite sum_parameters. unfold gradient, active, pre_activation, unit, relu. simpl.
    replace (1 * t + 0) with t by ring. destruct (Rlt_dec 0 t).
    - rewrite Rmax_right by lra. ring.
    - rewrite Rmax_left by lra. ring. }
  split; [simpl; tauto|]. split; [|split].
  - intros u t [<-|[]] [<-|[<-|[]]]; unfold pre_activation; simpl; lra.
  - intros v. rewrite quadratic_hessian. unfold mean. rewrite !sum_cons, sum_nil, !along. simpl length.
    destruct (Rlt_dec 0 (-1)); [lra|]. destruct (Rlt_dec 0 1); [|lra].
    unfold dot, parameters. simpl. set (a := v (W1 0)). set (b := v (B1 0)). set (c := v (W2 0)). set (d := v B2).
    pose proof (pow2_ge_0 (a - b)). pose proof (pow2_ge_0 (b - c)). pose proof (pow2_ge_0 (a - c)).
    pose proof (pow2_ge_0 (a + b + c - 2 * d)). pose proof (pow2_ge_0 d). nra.
  - intros flat. specialize (flat (fun p => match p with B2 => 1 / 2 | _ => 1 end)).
    rewrite quadratic_hessian in flat. unfold mean in flat.
    rewrite !sum_cons, sum_nil, !along in flat. simpl length in flat.
    destruct (Rlt_dec 0 (-1)); [lra|]. destruct (Rlt_dec 0 1); [|lra].
    unfold dot, parameters in flat. simpl in flat. lra.
Qed.
